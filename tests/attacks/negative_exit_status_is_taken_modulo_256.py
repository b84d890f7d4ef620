#: promise = "An exit status of minus one becomes 255, as on Linux"
#: outcome = ["completed"]
#: exit_code = 255
import sys

sys.exit(-1)
