"""`python -m controller`."""

import gc
import sys

# What is imported stays until the end; to look through it for garbage again and again took a tenth of a start.
gc.disable()

from controller.cli import main  # noqa: E402 - see above

sys.exit(main())
