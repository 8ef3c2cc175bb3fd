"""Says who someone is on WhatsApp."""

import os

__version__ = "0.1.0"

# Before gRPC is imported: its fork handlers now and then abort a process between
# fork and exec while other threads call into gRPC, as they do in a service. Here
# nothing is ever forked that does not exec at once.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
