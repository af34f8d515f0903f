# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# PLACE is what the file /root/place says: "inside" or "stock".

is_inside_place() {
    [ "$(cat /root/place)" = inside ]
}
