"""`kill -9` of either side at any moment, again and again; each round ends in agreement."""

import random
import sys
import time

import pytest

from tests.faults.site import Done, Exchange, Site
from tests.faults.witness import Witness

ROUNDS = 5
LONGEST_SECONDS = 0.15


@pytest.mark.faults
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_random_kills_end_in_agreement(seed: int, site: Site) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seed, so that a failure can be tried again
    exchange = site.start_exchange()
    try:
        for number in range(ROUNDS):
            # Shown when the test fails, so that the same kills can be tried again.
            sys.stdout.write(f"seed {seed}, round {number}\n")
            exchange = one_round(site, exchange, chance)
    finally:
        exchange.kill()


def one_round(site: Site, exchange: Exchange, chance: random.Random) -> Exchange:
    """Activate, kill somebody on the way, start again what is gone, and compare both sides."""
    witness = Witness(site)
    document = site.issue("contacts")
    witness.look()
    victims = chance.choice(["device", "service", "both"])
    with site.handfast_running("open", "--keep", str(document)) as running:
        assert running.stderr
        # Once the document is verified, everything that matters happens within milliseconds.
        running.stderr.readline()
        time.sleep(chance.uniform(0, LONGEST_SECONDS))
        if victims != "service":
            running.kill()
        if victims != "device":
            exchange.kill()
            witness.look()
            exchange = site.start_exchange()
        Done.end_of(running)
    witness.look()
    assert site.handfast("status").code == 0
    witness.look()
    if not [key for key in site.device().store.read().keys if key.key_id not in witness.old_keys]:
        again = site.handfast("open", str(document))
        assert again.code == 0, again.errors
    witness.check_repeated()
    witness.check_end("contacts")
    return exchange
