"""There is no terminal."""
import errno as _errno
import os as _os

TCSANOW, TCSADRAIN, TCSAFLUSH = 0, 1, 2
ECHO, ICANON, ISIG, IEXTEN, ICRNL, IXON, OPOST, VMIN, VTIME = 8, 2, 1, 32768, 256, 1024, 1, 6, 5
BRKINT, IGNBRK, IGNCR, INLCR, INPCK, ISTRIP, PARMRK, CSIZE, CS8, PARENB = 2, 1, 128, 64, 16, 32, 8, 48, 48, 256
ECHOE, ECHOK, ECHONL, NOFLSH, TOSTOP, TIOCGWINSZ, TIOCSTI = 16, 32, 64, 128, 256, 21523, 21522


class error(Exception):
    __module__ = "termios"


def _refuse(fd, *args):
    _os.fstat(fd if isinstance(fd, int) else fd.fileno())
    raise error(_errno.ENOTTY, _os.strerror(_errno.ENOTTY))


tcgetattr = tcsetattr = tcsendbreak = tcdrain = tcflush = tcflow = tcgetwinsize = tcsetwinsize = _refuse
