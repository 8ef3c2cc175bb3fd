"""What is measured, one thing a module."""
