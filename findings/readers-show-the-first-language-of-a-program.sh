#!/bin/sh
# A program of Windows may have a version resource for each language. ExifTool 12.57 and LIEF 0.16.6
# show the strings of the first alone, by the order of language numbers, so that Wine's kernel32.dll
# is of the product "واين": Arabic (0x0401) comes before English (0x0409). pefile 2024.8.26 lists all,
# and in most of them the product is "Wine".
#
# Windows itself goes by the language of whoever asks. Who knows programs by ProductName or
# FileDescription has to choose a language and say so; OriginalFilename is the same in each.
# Needs python3 with venv, perl and apt-get (Debian 12); fetches 100 MB; no root.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"

python3 -m venv python
python/bin/pip --quiet install lief==0.16.6 pefile==2024.8.26
apt-get --quiet=2 download libwine:amd64=8.0~repack-4 libimage-exiftool-perl=12.57+dfsg-1
file=./usr/lib/x86_64-linux-gnu/wine/x86_64-windows/kernel32.dll
dpkg-deb --fsys-tarfile ./libwine*.deb | tar --extract "$file"
dpkg-deb --extract ./libimage-exiftool-perl*.deb exiftool

cat > read.py <<'END'
import collections
import sys

import lief
import pefile

lief.logging.disable()
path = sys.argv[1]
tables = [
    (table.LangID.decode().lower(), {k.decode(): v.decode() for k, v in table.entries.items()})
    for group in pefile.PE(path).FileInfo
    for info in group
    for table in getattr(info, "StringTable", [])
]
products = collections.Counter(strings["ProductName"] for _, strings in tables)
names = {strings["OriginalFilename"] for _, strings in tables}
print("pefile", pefile.__version__, len(tables), "languages, first", tables[0][0])
print("pefile", products.most_common(1), "and others:", len(products) - 1, sorted(names))
binary = lief.parse(path)
version = binary.resources_manager.version
info = version.string_file_info
for table in info.langcode_items:
    print("LIEF", lief.__version__.split("-")[0], table.key, dict(table.items)["ProductName"].decode())
END
{
  python/bin/python read.py "$file"
  export PERL5LIB=exiftool/usr/share/perl5
  echo "ExifTool $(exiftool/usr/bin/exiftool -ver) $(exiftool/usr/bin/exiftool -s3 -ProductName "$file")"
} > seen
cat seen
cat > expected <<'END'
pefile 2024.8.26 36 languages, first 040104b0
pefile [('Wine', 34)] and others: 2 ['kernel32.dll']
LIEF 0.16.6 040104b0 واين
ExifTool 12.57 واين
END
if ! diff expected seen; then
  echo "it is no longer as it was seen" >&2
  exit 1
fi
