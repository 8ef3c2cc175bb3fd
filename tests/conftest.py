"""What holds for all tests: they speak to loopback only, past any proxy of the shell."""

from __future__ import annotations

import os
import signal

_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "grpc_proxy"}

for name in [name for name in os.environ if name.lower() in _PROXIES]:
    # gRPC and curl would send even calls to this machine there.
    del os.environ[name]

# A shell that runs the tests in the background has SIGINT ignored, and so would every
# process they start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
