"""What holds for all tests: they speak to loopback only, past any proxy of the shell."""

from __future__ import annotations

import os

_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "grpc_proxy"}

for name in [name for name in os.environ if name.lower() in _PROXIES]:
    # gRPC and curl would send even calls to this machine there.
    del os.environ[name]
