"""What an operator uses beside the page: commands through a socket in the data folder."""
