"""Lets other processes steer a running emulator over a Unix socket, one JSON line each way."""
