"""How files of older versions become today's, one step a version, by Alembic. A step is never changed once released."""
