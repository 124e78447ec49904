"""``python tests/bench``: see ``command``."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # so that this folder is the package ``bench``

    from bench.command import main

    main()
