"""The words everyone uses: frozen types that travel unchanged from the engine to the socket. No behaviour beyond validation."""
