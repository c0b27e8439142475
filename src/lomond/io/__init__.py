"""Who waits: a connection between its session and its bytes, and each way to go on with it."""
