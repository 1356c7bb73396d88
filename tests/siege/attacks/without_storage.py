"""Attack 5, without storage: a crowd that would displace other people's experiments."""

from __future__ import annotations

from siege.attacks.crowd import crowd, status_of
from siege.force import force
from siege.person import Person
from siege.report import holds
from siege.world import World

TITLE = "a crowd where nothing is stored"
PLACES, EXPERIMENTS = 40, 60


async def siege(world: World) -> None:
    """Without storage, a displaced experiment would be lost."""
    with world.server("--memory", FALLLINE_EXPERIMENTS=str(PLACES)) as server:
        mine = Person(server)
        await mine.create()
        await mine.ask("POST", "/step", {"steps": 100}, seconds=20)
        async with force(crowd, server.port, 60, many=EXPERIMENTS, within=20.0) as attack:
            created = (await attack.until_said(1, 30) or [{"made": 0}])[0]
            reply = await status_of(mine.ask("GET", seconds=10))
        what = f"with --memory, one's own experiment after {created['made']} others"
        world.note(holds(what, reply == 200, str(reply), "200"))
