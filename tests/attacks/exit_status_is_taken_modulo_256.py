#: promise = "An exit status outside 0 to 255 becomes what it becomes on Linux"
#: outcome = ["completed"]
#: exit_code = 44
import sys

sys.exit(300)
