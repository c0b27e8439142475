"""How a connection waits in asyncio: its driver, its bytes, and the task of the user."""
