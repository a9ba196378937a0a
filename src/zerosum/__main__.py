"""`python -m zerosum`, and `torchrun -m zerosum` for several processes."""

import sys

from zerosum.cli import main

sys.exit(main())
