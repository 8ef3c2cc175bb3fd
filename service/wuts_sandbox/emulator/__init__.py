"""Runs the loopback WhatsApp: proxy, TLS, WebSocket, Noise, stanzas, and the phone."""
