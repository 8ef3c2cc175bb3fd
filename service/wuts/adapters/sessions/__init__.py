"""Watches over the session processes of linked devices and speaks with them."""
