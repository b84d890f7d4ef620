# What a program asks for to find out where it is.
import getpass
import io
import locale
import os
import platform
import site
import socket
import sys
import sysconfig
import tempfile
import threading

for name in ("HOME", "PATH", "LANG"):
    print(name, bool(os.environ[name]), os.environ[name] == os.getenv(name))
print(os.path.expanduser("~") == os.environ["HOME"], os.path.isdir(os.path.expanduser("~")))
print(bool(getpass.getuser()), os.access(tempfile.gettempdir(), os.W_OK), os.path.isabs(os.get_exec_path()[0]))
flags = {name: getattr(sys.flags, name) for name in dir(sys.flags) if name[0] != "_" and name not in dir(tuple)}
print({name: value for name, value in flags.items() if name not in ("thread_inherit_context", "dont_write_bytecode")})
print(sys.orig_argv[1:], sys.argv, os.path.basename(sys.executable).startswith("python3"), sys.warnoptions, sys._xoptions)
print(sys.implementation.name, sys.implementation.cache_tag, sys.implementation._multiarch, sys._framework, sys.platlibdir)
print(sys.platform, os.name, sys.byteorder, sys.abiflags, sys.float_repr_style, sys.pycache_prefix, repr(sys.ps1) if hasattr(sys, "ps1") else None)
print(platform.system(), platform.machine(), platform.architecture()[0], platform.processor(), platform.libc_ver()[0])
print(platform.platform().startswith("Linux-"), "-x86_64-with-glibc2." in platform.platform(), platform.python_implementation())
print(os.uname().machine, os.uname().nodename == socket.gethostname() == platform.node(), os.confstr("CS_GNU_LIBC_VERSION")[:8])
print(sysconfig.get_platform(), sysconfig.get_config_var("EXT_SUFFIX"), sysconfig.get_config_var("MULTIARCH"), sysconfig.get_config_var("SOABI"))
with open("made", "w") as file:
    print(file.encoding, file.errors)
print(locale.getpreferredencoding(), locale.getpreferredencoding(False), locale.getencoding(), locale.getlocale())
print(io.text_encoding(None), sys.getdefaultencoding(), sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
for stream in (sys.stdin, sys.stdout, sys.stderr):
    print(stream.name, stream.encoding, stream.errors, stream.mode)
print(threading.get_native_id() == os.getpid() == threading.main_thread().native_id)
print(site.ENABLE_USER_SITE is not None, "_pyexec" in sys.builtin_module_names, sys.getswitchinterval(), sys.getrecursionlimit())
