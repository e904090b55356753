"""Where the reference topology is: beside the code in a checkout, else where it was installed."""

import sysconfig
from pathlib import Path

_NAME = "streams.yaml"


def reference_topology() -> Path:
    """The path of the reference ``streams.yaml``.

    Raises FileNotFoundError when the installation lacks it.
    """
    places = (Path(__file__).parent.parent, Path(sysconfig.get_path("data"), "share", "penstock"))
    for place in places:
        if (place / _NAME).is_file():
            return place / _NAME
    raise FileNotFoundError(f"the reference {_NAME} is in none of {', '.join(map(str, places))}")
