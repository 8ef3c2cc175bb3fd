"""The `wuts` command line."""

import os

# Before grpc is imported: its core writes plain lines to stderr, where a service
# logs JSON and a command says one clear line.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
