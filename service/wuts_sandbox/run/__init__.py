"""`wuts-sandbox run`: a loopback WhatsApp, the service and the gateway, as one."""
