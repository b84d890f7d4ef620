"""As much of OpenSSL as a program has before it connects: contexts with their settings. To use one takes a container."""
import _pyexec_linux
import errno
import os

OPENSSL_VERSION = "OpenSSL 3.5.0 8 Apr 2025"
OPENSSL_VERSION_INFO = _OPENSSL_API_VERSION = (3, 5, 0, 0, 0)
OPENSSL_VERSION_NUMBER = 0x30500000
_DEFAULT_CIPHERS = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"
HAS_ALPN = HAS_ECDH = HAS_PHA = HAS_PSK = HAS_SNI = HAS_TLS_UNIQUE = True
HAS_TLSv1 = HAS_TLSv1_1 = HAS_TLSv1_2 = HAS_TLSv1_3 = True
HAS_NPN = HAS_SSLv2 = HAS_SSLv3 = False

_words = """
        ALERT_DESCRIPTION_ACCESS_DENIED 49 ALERT_DESCRIPTION_BAD_CERTIFICATE 42
        ALERT_DESCRIPTION_BAD_CERTIFICATE_HASH_VALUE 114 ALERT_DESCRIPTION_BAD_CERTIFICATE_STATUS_RESPONSE 113
        ALERT_DESCRIPTION_BAD_RECORD_MAC 20 ALERT_DESCRIPTION_CERTIFICATE_EXPIRED 45
        ALERT_DESCRIPTION_CERTIFICATE_REVOKED 44 ALERT_DESCRIPTION_CERTIFICATE_UNKNOWN 46
        ALERT_DESCRIPTION_CERTIFICATE_UNOBTAINABLE 111 ALERT_DESCRIPTION_CLOSE_NOTIFY 0
        ALERT_DESCRIPTION_DECODE_ERROR 50 ALERT_DESCRIPTION_DECOMPRESSION_FAILURE 30
        ALERT_DESCRIPTION_DECRYPT_ERROR 51 ALERT_DESCRIPTION_HANDSHAKE_FAILURE 40
        ALERT_DESCRIPTION_ILLEGAL_PARAMETER 47 ALERT_DESCRIPTION_INSUFFICIENT_SECURITY 71
        ALERT_DESCRIPTION_INTERNAL_ERROR 80 ALERT_DESCRIPTION_NO_RENEGOTIATION 100
        ALERT_DESCRIPTION_PROTOCOL_VERSION 70 ALERT_DESCRIPTION_RECORD_OVERFLOW 22
        ALERT_DESCRIPTION_UNEXPECTED_MESSAGE 10 ALERT_DESCRIPTION_UNKNOWN_CA 48
        ALERT_DESCRIPTION_UNKNOWN_PSK_IDENTITY 115 ALERT_DESCRIPTION_UNRECOGNIZED_NAME 112
        ALERT_DESCRIPTION_UNSUPPORTED_CERTIFICATE 43 ALERT_DESCRIPTION_UNSUPPORTED_EXTENSION 110
        ALERT_DESCRIPTION_USER_CANCELLED 90 CERT_NONE 0 CERT_OPTIONAL 1 CERT_REQUIRED 2 ENCODING_DER 2
        ENCODING_PEM 1 HOSTFLAG_ALWAYS_CHECK_SUBJECT 1 HOSTFLAG_MULTI_LABEL_WILDCARDS 8
        HOSTFLAG_NEVER_CHECK_SUBJECT 32 HOSTFLAG_NO_PARTIAL_WILDCARDS 4 HOSTFLAG_NO_WILDCARDS 2
        HOSTFLAG_SINGLE_LABEL_SUBDOMAINS 16 OP_ALL 2147483728 OP_CIPHER_SERVER_PREFERENCE 4194304 OP_ENABLE_KTLS 8
        OP_ENABLE_MIDDLEBOX_COMPAT 1048576 OP_IGNORE_UNEXPECTED_EOF 128 OP_LEGACY_SERVER_CONNECT 4
        OP_NO_COMPRESSION 131072 OP_NO_RENEGOTIATION 1073741824 OP_NO_SSLv2 0 OP_NO_SSLv3 33554432
        OP_NO_TICKET 16384 OP_NO_TLSv1 67108864 OP_NO_TLSv1_1 268435456 OP_NO_TLSv1_2 134217728
        OP_NO_TLSv1_3 536870912 OP_SINGLE_DH_USE 0 OP_SINGLE_ECDH_USE 0 PROTOCOL_SSLv23 2 PROTOCOL_TLS 2
        PROTOCOL_TLS_CLIENT 16 PROTOCOL_TLS_SERVER 17 PROTOCOL_TLSv1 3 PROTOCOL_TLSv1_1 4 PROTOCOL_TLSv1_2 5
        PROTO_MAXIMUM_SUPPORTED -1 PROTO_MINIMUM_SUPPORTED -2 PROTO_SSLv3 768 PROTO_TLSv1 769 PROTO_TLSv1_1 770
        PROTO_TLSv1_2 771 PROTO_TLSv1_3 772 SSL_ERROR_EOF 8 SSL_ERROR_INVALID_ERROR_CODE 10 SSL_ERROR_SSL 1
        SSL_ERROR_SYSCALL 5 SSL_ERROR_WANT_CONNECT 7 SSL_ERROR_WANT_READ 2 SSL_ERROR_WANT_WRITE 3
        SSL_ERROR_WANT_X509_LOOKUP 4 SSL_ERROR_ZERO_RETURN 6 VERIFY_ALLOW_PROXY_CERTS 64 VERIFY_CRL_CHECK_CHAIN 12
        VERIFY_CRL_CHECK_LEAF 4 VERIFY_DEFAULT 0 VERIFY_X509_PARTIAL_CHAIN 524288 VERIFY_X509_STRICT 32
        VERIFY_X509_TRUSTED_FIRST 32768
""".split()
globals().update(zip(_words[::2], map(int, _words[1::2])))


class SSLError(OSError):
    """An error occurred in the SSL implementation."""

    reason = library = None


SSLError.__module__ = "ssl"
for _name, _text in {
    "SSLZeroReturnError": "SSL/TLS session closed cleanly.",
    "SSLWantReadError": "Non-blocking SSL socket needs to read more data before the requested operation can be completed.",
    "SSLWantWriteError": "Non-blocking SSL socket needs to write more data before the requested operation can be completed.",
    "SSLSyscallError": "System error when attempting SSL operation.",
    "SSLEOFError": "SSL/TLS connection terminated abruptly.",
}.items():
    globals()[_name] = type(_name, (SSLError,), {"__doc__": _text, "__module__": "ssl"})


class SSLCertVerificationError(SSLError, ValueError):
    """A certificate could not be verified."""

    verify_code = verify_message = None


SSLCertVerificationError.__module__ = "ssl"


def _refuse(what):
    raise _pyexec_linux.miss("library", f"ssl: {what}", SSLError(errno.ENOSYS, f"{what} takes a container"))


class SSLSession:
    pass


class Certificate:
    pass


class MemoryBIO:
    def __init__(self):
        _refuse("MemoryBIO()")


_TAKE_A_CONTAINER = frozenset("""
    load_cert_chain load_dh_params get_ciphers _wrap_socket _wrap_bio set_psk_client_callback set_psk_server_callback
""".split())


def _setting(name):
    """A setting that is kept and means nothing yet: subclasses go through `__set__` of this."""
    return property(lambda self: self._settings[name], lambda self, value: self._settings.__setitem__(name, value))


class _SSLContext:
    """Settings of connections."""

    def __new__(cls, protocol):
        self = super().__new__(cls)
        is_client = protocol == PROTOCOL_TLS_CLIENT
        self._settings = {
            "protocol": protocol, "check_hostname": is_client, "verify_mode": CERT_REQUIRED if is_client else CERT_NONE,
            "options": OP_ALL | OP_NO_SSLv3 | OP_CIPHER_SERVER_PREFERENCE | OP_NO_COMPRESSION | OP_ENABLE_MIDDLEBOX_COMPAT
            | OP_IGNORE_UNEXPECTED_EOF, "verify_flags": VERIFY_X509_TRUSTED_FIRST, "minimum_version": PROTO_TLSv1_2,
            "maximum_version": PROTO_MAXIMUM_SUPPORTED, "keylog_filename": None, "sni_callback": None,
            "_msg_callback": None, "post_handshake_auth": False, "num_tickets": 2,
            "_host_flags": HOSTFLAG_NO_PARTIAL_WILDCARDS,
        }
        return self

    protocol = property(lambda self: self._settings["protocol"])
    security_level = property(lambda self: 2)
    options, verify_flags = _setting("options"), _setting("verify_flags")
    minimum_version, maximum_version = _setting("minimum_version"), _setting("maximum_version")
    keylog_filename, sni_callback, _msg_callback = map(_setting, ("keylog_filename", "sni_callback", "_msg_callback"))
    post_handshake_auth, num_tickets = _setting("post_handshake_auth"), _setting("num_tickets")
    _host_flags = _setting("_host_flags")

    @property
    def check_hostname(self):
        return self._settings["check_hostname"]

    @check_hostname.setter
    def check_hostname(self, value):
        self._settings["check_hostname"] = bool(value)
        if value and self._settings["verify_mode"] == CERT_NONE:
            self._settings["verify_mode"] = CERT_REQUIRED

    @property
    def verify_mode(self):
        return self._settings["verify_mode"]

    @verify_mode.setter
    def verify_mode(self, value):
        if value not in (CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED):
            raise ValueError("invalid value for verify_mode")
        if value == CERT_NONE and self.check_hostname:
            raise ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.")
        self._settings["verify_mode"] = value

    def set_default_verify_paths(self):
        pass

    def set_ciphers(self, ciphers):
        pass

    def set_ecdh_curve(self, name):
        pass

    def _set_alpn_protocols(self, protocols):
        pass

    def session_stats(self):
        return dict.fromkeys(("number", "connect", "connect_good", "connect_renegotiate", "accept", "accept_good",
                              "accept_renegotiate", "hits", "misses", "timeouts", "cache_full"), 0)

    def cert_store_stats(self):
        return {"x509": 0, "crl": 0, "x509_ca": 0}

    def get_ca_certs(self, binary_form=False):
        return []

    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        if cafile is not None:
            os.stat(cafile)

    def __getattr__(self, name):
        if name in _TAKE_A_CONTAINER:
            return lambda *args, **kwargs: _refuse(f"SSLContext.{name.lstrip('_')}()")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)


def get_default_verify_paths():
    return "SSL_CERT_FILE", "/usr/lib/ssl/cert.pem", "SSL_CERT_DIR", "/usr/lib/ssl/certs"


def RAND_status():
    return True


def RAND_add(string, entropy, /):
    pass


def RAND_bytes(n, /):
    if n < 0:
        raise ValueError("num must be positive")
    return os.urandom(n)


def txt2obj(txt, name=False):
    known = {
        "1.3.6.1.5.5.7.3.1": (129, "serverAuth", "TLS Web Server Authentication"),
        "1.3.6.1.5.5.7.3.2": (130, "clientAuth", "TLS Web Client Authentication"),
    }
    for oid, (nid, short, long) in known.items():
        if txt == oid or name and txt in (short, long):
            return nid, short, long, oid
    _refuse("txt2obj()")


def nid2obj(nid, /):
    for oid in ("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"):
        if txt2obj(oid)[0] == nid:
            return txt2obj(oid)
    _refuse("nid2obj()")


def _test_decode_cert(path, /):
    _refuse("decoding a certificate")
