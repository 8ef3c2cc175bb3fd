"""The gRPC face: protobuf in and out, authentication, status codes."""
