"""What several tests share: small recipes, a clock that obeys, a lab without a network."""
