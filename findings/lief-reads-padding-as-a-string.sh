#!/bin/sh
# LIEF 0.16.6 reports a string without a name and without a value for a version resource whose string
# table counts the padding behind its last string.
#
# Programs and libraries of Wine have such tables: in bcrypt.dll the table ends two bytes behind its
# last string, on a multiple of four. pefile 2024.8.26 reads the strings that are there. Of some 760
# files of Debian's libwine 8.0~repack-4 that have strings or none, LIEF reports one too many for 89.
#
# Who looks for a program by its strings (OriginalFilename, ProductName) should pass over those whose
# name is empty. Needs python3 with venv and apt-get (Debian 12); fetches 100 MB; no root.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"

python3 -m venv python
python/bin/pip --quiet install lief==0.16.6 pefile==2024.8.26
apt-get --quiet=2 download libwine:amd64=8.0~repack-4
files=./usr/lib/x86_64-linux-gnu/wine/x86_64-windows
dpkg-deb --fsys-tarfile ./*.deb | tar --extract "$files/bcrypt.dll" "$files/psapi.dll"

cat > read.py <<'END'
import sys

import lief
import pefile


def by_pefile(path):
    return {
        key.decode(): value.decode()
        for group in pefile.PE(path).FileInfo
        for info in group
        for table in getattr(info, "StringTable", [])
        for key, value in table.entries.items()
    }


def by_lief(path):
    binary = lief.parse(path)
    version = binary.resources_manager.version
    info = version.string_file_info
    return {
        key: value.decode()
        for table in info.langcode_items
        for key, value in dict(table.items).items()
    }


lief.logging.disable()
print("LIEF", lief.__version__.split("-")[0], "pefile", pefile.__version__)
for name in ["psapi.dll", "bcrypt.dll"]:
    strings, others = by_pefile(f"{sys.argv[1]}/{name}"), by_lief(f"{sys.argv[1]}/{name}")
    for key in sorted(strings):
        assert others.pop(key) == strings[key], key
    print(f"{name} {strings['OriginalFilename']} {len(strings)} strings, only by LIEF: {others}")
END
python/bin/python read.py "$files" > seen
cat seen
cat > expected <<'END'
LIEF 0.16.6 pefile 2024.8.26
psapi.dll psapi.dll 8 strings, only by LIEF: {}
bcrypt.dll bcrypt.dll 8 strings, only by LIEF: {'': ''}
END
if ! diff expected seen; then
  echo "it is no longer as it was seen" >&2
  exit 1
fi
