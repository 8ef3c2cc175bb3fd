"""What callers may ask for, one module a call."""
