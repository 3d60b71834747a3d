"""Everything NATS and FastStream: the connection, routes, answering, consuming, failures, topology, permissions."""
