{{/* The claim of a StatefulSet's data. Takes the block. */}}
{{- define "vigil.dataClaim" -}}
{{- if .persistence.enabled -}}
volumeClaimTemplates:
  - metadata:
      name: data
    spec:
      accessModes: [ReadWriteOnce]
      {{- with .persistence.storageClass }}
      storageClassName: {{ . }}
      {{- end }}
      resources:
        requests:
          storage: {{ .persistence.size }}
{{- end -}}
{{- end -}}

{{/* NATS's accounts as JSON: those of files/nats-accounts.json, one for each tenant, and one for the modules of each
     tenant that has some. A password is the name of a variable, which the Secret's nats-passwords.conf gives. */}}
{{- define "vigil.natsAccounts" -}}
{{- $accounts := .Files.Get "files/nats-accounts.json" | fromJson -}}
{{- $exports := list -}}
{{- range $tenant := .Values.tenants -}}
{{- $made := $.Files.Get "files/nats-tenant.json" | replace "{tenant}" $tenant | fromJson -}}
{{- $_ := set $accounts (printf "TENANT_%s" $tenant) $made.account -}}
{{- $exports = concat $exports $made.exports -}}
{{- end -}}
{{- range $tenant := .Values.tenants -}}
{{- $text := $.Files.Get "files/nats-modules.json" | replace "{tenant}" $tenant -}}
{{- $made := $text | fromJson -}}
{{- $users := list -}}
{{- range $module := $.Values.modules | uniq | sortAlpha -}}
{{- $parts := splitList "/" $module -}}
{{- if eq (first $parts) $tenant -}}
{{- $users = concat $users ($text | replace "{module}" (last $parts) | fromJson).account.users -}}
{{- end -}}
{{- end -}}
{{- if $users -}}
{{- $_ := set $made.account "users" $users -}}
{{- $_ := set $accounts (printf "MODULES_%s" $tenant) $made.account -}}
{{- $exports = concat $exports $made.exports -}}
{{- end -}}
{{- end -}}
{{- $_ := set $accounts.VIGIL "exports" $exports -}}
{{- range $name, $account := $accounts -}}
{{- range $user := $account.users -}}
{{- $_ := set $user "password" (printf "$%s" (include "vigil.passwordOf" (dict "store" "NATS" "user" $user.user))) -}}
{{- end -}}
{{- end -}}
{{- $accounts | toRawJson -}}
{{- end -}}

{{/* NATS's configuration without a password. What JetStream acknowledges is on disk before: `sync_interval: always`. */}}
{{- define "vigil.natsConf" -}}
{{- $block := .Values.nats -}}
{{- $peers := printf "%s-peers" (include "vigil.natsHost" .) -}}
include ./nats-passwords.conf
host: "0.0.0.0"
port: 4222
http: "0.0.0.0:8222"
max_payload: 8388608
max_pending: 16777216
jetstream: {
  store_dir: "/data/jetstream"
  max_memory_store: 67108864
  max_file_store: {{ int64 $block.maxFileStore }}
  sync_interval: always
}
{{- if .Values.tls.nats }}
tls: {cert_file: "/etc/vigil/tls/tls.crt", key_file: "/etc/vigil/tls/tls.key"}
{{- end }}
{{- if gt (int $block.replicas) 1 }}
cluster: {
  name: "vigil"
  listen: "0.0.0.0:6222"
  no_advertise: true # clients come by the name of the Service alone
  authorization: {user: "route", password: $NATS_PASSWORD_ROUTE}
  routes: [
    {{- range $index := until (int $block.replicas) }}
    "nats://{{ include "vigil.natsHost" $ }}-{{ $index }}.{{ $peers }}:6222"
    {{- end }}
  ]
  {{- if .Values.tls.nats }}
  tls: {cert_file: "/etc/vigil/tls/tls.crt", key_file: "/etc/vigil/tls/tls.key", ca_file: "/etc/vigil/tls/ca.crt"}
  {{- end }}
}
{{- end }}
system_account: "SYS"
accounts: {
{{- range $name, $account := include "vigil.natsAccounts" . | fromJson }}
  {{ $name | quote }}: {{ regexReplaceAll "\"([$]NATS_PASSWORD_[A-Z0-9_]+)\"" (toRawJson $account) "${1} " }}
{{- end }}
}
{{- end -}}

{{/* Redis's configuration, and its users without their passwords. */}}
{{- define "vigil.redisConf" -}}
{{- $block := .Values.redis -}}
bind * -::*
{{- if .Values.tls.redis }}
port 0
tls-port 6379
tls-cert-file /etc/vigil/tls/tls.crt
tls-key-file /etc/vigil/tls/tls.key
tls-auth-clients no
{{- else }}
port 6379
{{- end }}
aclfile /run/vigil/users.acl
dir /data
daemonize no
appendonly yes
appendfsync always
save ""
maxmemory {{ $block.maxMemory }}
maxmemory-policy noeviction
{{- end -}}

{{- define "vigil.redisUsers" -}}
user default reset ~* &* +@all off
user health reset on nopass +ping
{{- range .Files.Get "files/redis-users.json" | fromJsonArray }}
user {{ .name }} {{ .rights }} #${{ include "vigil.passwordOf" (dict "store" "REDIS" "user" .name) }}
{{- end }}
{{- end -}}

{{/* The variables of all passwords, as a JSON list. */}}
{{- define "vigil.passwords" -}}
{{- $names := list -}}
{{- if .Values.nats.enabled -}}
{{- if gt (int .Values.nats.replicas) 1 }}{{ $names = append $names "NATS_PASSWORD_ROUTE" }}{{ end -}}
{{- range $name, $account := include "vigil.natsAccounts" . | fromJson -}}
{{- range $account.users }}{{ $names = append $names (trimPrefix "$" .password) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if .Values.redis.enabled -}}
{{- range .Files.Get "files/redis-users.json" | fromJsonArray -}}
{{- $names = append $names (include "vigil.passwordOf" (dict "store" "REDIS" "user" .name)) -}}
{{- end -}}
{{- end -}}
{{- $names | uniq | sortAlpha | toJson -}}
{{- end -}}

{{/* How many servers keep each message of a stream. */}}
{{- define "vigil.streamReplicas" -}}
{{- ternary .Values.nats.replicas .Values.nats.external.streamReplicas .Values.nats.enabled -}}
{{- end -}}
