"""Speaks WhatsApp's wire formats from the server's side: binary XML, Noise, keys, certificates."""
