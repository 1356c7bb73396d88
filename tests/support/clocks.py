"""A clock that only moves when it is told to, or by a fixed amount whenever it is read."""


class Clock:
    def __init__(self, tick: float = 0.0) -> None:
        self.now = 1000.0
        self.tick = tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now
