{{/* The one template of all services. Takes (dict "root" $ "name" name "row" row "block" block): the row is that of
     files/services.json, which is made from vigil.contract.services; the block is that of values.yaml. */}}
{{- define "vigil.service" -}}
{{- $context := dict "root" .root "component" .name "block" .block }}
{{- $gateway := eq .row.kind "gateway" }}
{{- $hostPorts := include "vigil.webrtcHostPorts" . | trim }}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "vigil.metadata" $context | nindent 2 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata:
  {{- include "vigil.metadata" $context | nindent 2 }}
  {{- with .block.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .block.service.type }}
  selector:
    {{- include "vigil.selector" $context | nindent 4 }}
  ports:
    - name: http
      port: {{ .row.http_port }}
      protocol: TCP
      targetPort: http
    {{- if .row.grpc_port }}
    - name: grpc
      port: {{ .row.grpc_port }}
      protocol: TCP
      targetPort: grpc
      appProtocol: grpc
    {{- end }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "vigil.metadata" $context | nindent 2 }}
spec:
  {{- if not .block.autoscaling.enabled }}
  replicas: {{ .block.replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "vigil.selector" $context | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      {{- if $hostPorts }}
      maxSurge: 0 # the ports of a node are free once its pod has gone
      maxUnavailable: 1
      {{- else }}
      maxSurge: 1
      maxUnavailable: 0
      {{- end }}
  template:
    metadata:
      {{- include "vigil.podMetadata" $context | nindent 6 }}
    spec:
      {{- include "vigil.podSecurity" .root | nindent 6 }}
      serviceAccountName: {{ include "vigil.fullname" .root }}-{{ .name }}
      {{- include "vigil.scheduling" $context | trim | nindent 6 }}
      terminationGracePeriodSeconds: {{ add .root.Values.drainSeconds 10 (ternary 5 0 $gateway) }}
      containers:
        - name: {{ .name }}
          image: {{ include "vigil.image" (dict "root" .root "image" .block.image "name" (printf "vigil-%s" .name)) }}
          imagePullPolicy: {{ .root.Values.images.pullPolicy }}
          {{- include "vigil.containerSecurity" .root | nindent 10 }}
          ports:
            - name: http
              containerPort: {{ .row.http_port }}
              protocol: TCP
            {{- if .row.grpc_port }}
            - name: grpc
              containerPort: {{ .row.grpc_port }}
              protocol: TCP
            {{- end }}
            {{- if .row.metrics_port }}
            - name: metrics
              containerPort: {{ .row.metrics_port }}
              protocol: TCP
            {{- end }}
            {{- with $hostPorts }}
            {{- . | nindent 12 }}
            {{- end }}
          env:
            {{- include "vigil.serviceEnv" . | trim | nindent 12 }}
          {{- include "vigil.probes" . | trim | nindent 10 }}
          {{- if $gateway }}
          lifecycle:
            preStop:
              exec: # until every node has taken this pod out of the Service
                command: [sleep, "5"]
          {{- end }}
          resources:
            {{- include "vigil.resources" . | nindent 12 }}
          volumeMounts:
            - name: tmp
              mountPath: /tmp
            - name: secrets
              mountPath: /run/secrets/vigil
              readOnly: true
            {{- with include "vigil.filesOf" (dict "root" .root "name" .name "row" .row "as" "mounts") | trim }}
            {{- . | nindent 12 }}
            {{- end }}
            {{- with .block.extraVolumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
        {{- with .block.extraContainers }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      volumes:
        - name: tmp
          emptyDir:
            medium: Memory
            sizeLimit: 64Mi
        - name: secrets
          projected:
            defaultMode: 0440
            sources:
              {{- include "vigil.secretsOf" . | trim | nindent 14 }}
        {{- with include "vigil.filesOf" (dict "root" .root "name" .name "row" .row "as" "volumes") | trim }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- with .block.extraVolumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- include "vigil.pdb" $context }}
{{- include "vigil.autoscaling" . }}
{{- include "vigil.serviceNetwork" . }}
{{- include "vigil.serviceMonitor" (merge (dict "port" (ternary "metrics" "http" (not (empty .row.metrics_port)))) $context) }}
{{- end -}}

{{/* CPU and memory: the row's, unless the block has its own. No limit of CPU: a tick that waits for its share is late. */}}
{{- define "vigil.resources" -}}
{{- if .block.resources -}}
{{- toYaml .block.resources -}}
{{- else -}}
requests:
  cpu: {{ .row.cpu | mulf 1000 | int }}m
  memory: {{ .row.memory_mib }}Mi
limits:
  memory: {{ .row.memory_mib }}Mi
{{- end -}}
{{- end -}}

{{/* Liveness asks nothing of NATS, Redis or the engine. A service that is only called by gRPC is ready when its gRPC
     health says so: it does once every dependency has answered, and stops when the service drains. */}}
{{- define "vigil.probes" -}}
{{- $scheme := ternary "HTTPS" "HTTP" (and (eq .row.kind "gateway") (ne .root.Values.tls.gateway "")) -}}
startupProbe:
  httpGet: {path: /healthz, port: http, scheme: {{ $scheme }}}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: http, scheme: {{ $scheme }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  {{- if and .row.grpc_port (ne .row.kind "gateway") .root.Values.probes.grpc }}
  grpc: {port: {{ .row.grpc_port }}}
  {{- else }}
  httpGet: {path: {{ .row.ready_path }}, port: http, scheme: {{ $scheme }}}
  {{- end }}
  periodSeconds: 3
  timeoutSeconds: 3
  failureThreshold: 2
{{- end -}}

{{/* The variables of a service: what every one has, then what its row asks for. Passwords come as files, never here. */}}
{{- define "vigil.serviceEnv" -}}
{{- $root := .root -}}
{{- $block := .block -}}
{{- $files := list "nats_url" "redis_url" -}}
{{- $known := dict
  "http_port" (toString .row.http_port)
  "grpc_port" (toString .row.grpc_port)
  "metrics_port" (toString .row.metrics_port)
  "api_keys_file" "/etc/vigil/keys/api-keys.json"
  "webhooks_file" "/etc/vigil/webhooks/webhooks.json"
  "webhook_allow_local" "false"
  "asr_folder" "/opt/speech"
  "tts_folder" "/opt/speech"
  "local_source_tenants" (join "," $root.Values.localSourceTenants)
  "ingestion_grpc" (printf "%s-ingestion:%v" (include "vigil.fullname" $root) $root.rows.ingestion.grpc_port)
  "model" $root.Values.model.name
  "profile" $root.Values.model.profile
  "rendered_sources" (include "vigil.renderedSources" $root)
  "engine_urls" (include "vigil.engineUrls" $root)
  "engine_images_gb" (include "vigil.engineImagesGb" $root)
-}}
- {name: VIGIL_HOST, value: 0.0.0.0}
- {name: VIGIL_LOG_LEVEL, value: {{ $root.Values.logLevel }}}
- {name: VIGIL_DRAIN_S, value: {{ $root.Values.drainSeconds | quote }}}
- {name: VIGIL_SECRETS_DIR, value: /run/secrets/vigil}
- {name: VIGIL_STREAM_REPLICAS, value: {{ include "vigil.streamReplicas" $root | quote }}}
{{- with .block.capacity }}
- {name: VIGIL_CAPACITY, value: {{ . | quote }}}
{{- end }}
{{- with $root.Values.observability.tracing.endpoint }}
- {name: VIGIL_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- if $root.Values.tls.ca }}
- {name: VIGIL_CA_FILE, value: /etc/vigil/ca/ca.crt}
{{- end }}
{{- if and (eq .name "brain") $root.Values.brains.existingSecret }}
- {name: VIGIL_BRAINS_FILE, value: /etc/vigil/brains/brains.json}
{{- end }}
{{- if and (eq .row.kind "gateway") $root.Values.tls.gateway }}
- {name: VIGIL_TLS_CERT_FILE, value: /etc/vigil/tls/tls.crt}
- {name: VIGIL_TLS_KEY_FILE, value: /etc/vigil/tls/tls.key}
{{- end }}
{{- range $setting := .row.wiring }}
{{- if not (has $setting $files) }}
{{- if not (hasKey $known $setting) }}
{{- fail (printf "the chart does not know what to give the setting %s: add it to templates/_service.tpl" $setting) }}
{{- end }}
{{- with get $known $setting }}
- {name: VIGIL_{{ upper $setting }}, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- end }}
{{- with $root.Values.nats.external.url }}
- {name: VIGIL_NATS_URL, value: {{ . | quote }}}
{{- end }}
{{- if and .row.uses_redis $root.Values.redis.external.url }}
- {name: VIGIL_REDIS_URL, value: {{ $root.Values.redis.external.url | quote }}}
{{- end }}
{{- include "vigil.webrtcEnv" . }}
{{- range $name, $value := $block.env }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{/* What a service may read of the credentials: its own addresses and, if it asks engines, their key. */}}
{{- define "vigil.secretsOf" -}}
{{- $items := list -}}
{{- if not .root.Values.nats.external.url }}{{ $items = append $items "nats_url" }}{{ end -}}
{{- if and .row.uses_redis (not .root.Values.redis.external.url) }}{{ $items = append $items "redis_url" }}{{ end -}}
{{- $name := .name -}}
{{- if $items }}
- secret:
    name: {{ include "vigil.credentials" .root }}
    items:
      {{- range $items }}
      - {key: {{ $name }}.{{ . }}, path: {{ . }}}
      {{- end }}
{{- end }}
{{- if has "engine_urls" .row.wiring }}
- secret:
    name: {{ include "vigil.credentials" .root }}
    optional: true
    items:
      - {key: engine_api_key, path: engine_api_key}
{{- end }}
{{- include "vigil.iceServers" . }}
{{- if and (eq .row.kind "gateway") .root.Values.oidc.existingSecret }}
- secret:
    name: {{ .root.Values.oidc.existingSecret }}
    items:
      - {key: oidc_client_secret, path: oidc_client_secret}
{{- end }}
{{- end -}}

{{/* The files that a row asks for, as "mounts" or as "volumes". Whole folders: a Secret that changes shows in them. */}}
{{- define "vigil.filesOf" -}}
{{- $root := .root -}}
{{- $files := dict -}}
{{- if has "api_keys_file" .row.wiring }}{{ $_ := set $files "keys" (include "vigil.apiKeys" $root) }}{{ end -}}
{{- if has "webhooks_file" .row.wiring }}{{ $_ := set $files "webhooks" $root.Values.webhooks.existingSecret }}{{ end -}}
{{- if and (eq .name "brain") $root.Values.brains.existingSecret }}{{ $_ := set $files "brains" $root.Values.brains.existingSecret }}{{ end -}}
{{- if and (eq .row.kind "gateway") $root.Values.tls.gateway }}{{ $_ := set $files "tls" $root.Values.tls.gateway }}{{ end -}}
{{- if $root.Values.tls.ca }}{{ $_ := set $files "ca" $root.Values.tls.ca }}{{ end -}}
{{- $as := .as -}}
{{- range $name, $secret := $files }}
{{- if eq $as "mounts" }}
- name: {{ $name }}
  mountPath: /etc/vigil/{{ $name }}
  readOnly: true
{{- else }}
- name: {{ $name }}
  secret:
    secretName: {{ $secret }}
    defaultMode: 0440
    {{- if eq $name "ca" }}
    items:
      - {key: ca.crt, path: ca.crt}
    {{- end }}
{{- end }}
{{- end }}
{{- end -}}
