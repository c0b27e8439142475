"""What extends the protocol (RFC 6455 section 9): said in the upgrade, done to messages."""
