"""What the field is about, without any input or output."""
