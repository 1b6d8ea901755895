# Write the file of Redis's users: each "#$NAME" at a line's end becomes the SHA-256 of the password in the file NAME.
set -eu
users=$(cat /etc/vigil/redis/users.acl)
for file in /run/secrets/vigil/REDIS_PASSWORD_*; do
  digest=$(tr -d '\n' <"$file" | sha256sum | cut -c1-64)
  users=$(printf '%s\n' "$users" | sed "s/#\\\$${file##*/}\$/#$digest/")
done
case "$users" in
  *'#$'*)
    echo "a user has no password: give the Secret of the credentials every key that begins with REDIS_PASSWORD_" >&2
    exit 1
    ;;
esac
umask 077
printf '%s\n' "$users" >/run/vigil/users.acl
