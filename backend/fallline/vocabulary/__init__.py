"""The words everyone uses: frozen types that travel unchanged from the engine to the socket, and only validate."""
