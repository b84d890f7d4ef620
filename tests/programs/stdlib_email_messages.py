import email
from email import policy
from email.message import EmailMessage
from email.header import decode_header, make_header
from email.utils import parseaddr, formataddr, getaddresses, parsedate_to_datetime, format_datetime
from datetime import datetime, timezone

msg = EmailMessage()
msg["Subject"] = "Réunion – ordre du jour"
msg["From"] = "Zoë <zoe@example.com>"
msg["To"] = "bob@example.org, Ann Lee <ann@example.org>"
msg["Date"] = format_datetime(datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc))
msg.set_content("Bonjour,\n\nVoilà le café.\n-- \nZ\n")
msg.add_alternative("<p>Bonjour <b>café</b></p>", subtype="html")
msg.add_attachment(b"\x00\x01\x02binary" * 4, maintype="application", subtype="octet-stream", filename="data.bin")
msg.set_boundary("BOUND-outer")
next(msg.iter_parts()).set_boundary("BOUND-inner")
raw = msg.as_bytes()
print(raw.decode("utf-8"))

back = email.message_from_bytes(raw, policy=policy.default)
print(back["subject"], back["to"].addresses, back["date"].datetime)
for part in back.walk():
    print(part.get_content_type(), part.get_filename(), part.get_content_disposition())
print(back.get_body(("plain",)).get_content())
for att in back.iter_attachments():
    print(att.get_filename(), att.get_content())

print(str(make_header(decode_header("=?utf-8?q?Caf=C3=A9?= =?iso-8859-1?b?6Q==?="))))
print(parseaddr('"Doe, Jane" <jane@x.org>'), formataddr(("Zoë", "z@x.org")))
print(getaddresses(["a@b.c, D <d@e.f>"]), parsedate_to_datetime("Tue, 03 Jun 2008 11:05:30 -0110"))
old = email.message_from_string("From: x\nX-Long: part one\n  part two\n\nbody\n")
print(old.items(), repr(old.get_payload()), old.defects)
