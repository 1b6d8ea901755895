{{/* Network policies: everything is denied (templates/network-policies.yaml), each edge is allowed from both ends. */}}

{{/* The pods of a component, as a peer of a rule. Takes (dict "root" $ "component" name). */}}
{{- define "vigil.peer" -}}
- podSelector:
    matchLabels:
      {{- include "vigil.selector" . | nindent 6 }}
{{- end -}}

{{/* A rule "from" or "to" pods of a component on a port. Takes (dict "root" $ "component" name "way" way "port" port). */}}
{{- define "vigil.edge" -}}
- {{ .way }}:
    {{- include "vigil.peer" . | nindent 4 }}
  ports:
    - {port: {{ .port }}, protocol: TCP}
{{- end -}}

{{/* The edges of the metrics port from Prometheus. Takes (dict "root" $ "port" port). */}}
{{- define "vigil.metricsEdge" -}}
{{- with .root.Values.observability.metricsFrom -}}
- from:
    {{- toYaml . | nindent 4 }}
  ports:
    - {port: {{ $.port }}, protocol: TCP}
{{- end }}
{{- end -}}

{{/* To NATS and Redis: those of the chart, or whatever listens there. Takes (dict "root" $ "store" name "port" port). */}}
{{- define "vigil.storeEdge" -}}
{{- $block := get .root.Values .store -}}
{{- if $block.enabled -}}
{{ include "vigil.edge" (dict "root" .root "component" .store "way" "to" "port" .port) }}
{{- else -}}
- ports:
    - {port: {{ $block.external.port }}, protocol: TCP}
  {{- with $block.external.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The policy of a service: its edges follow from its row. */}}
{{- define "vigil.serviceNetwork" }}
{{- $root := .root }}
{{- if $root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "vigil.metadata" (dict "root" $root "component" .name) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "vigil.selector" (dict "root" $root "component" .name) | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- include "vigil.metricsEdge" (dict "root" $root "port" (default .row.http_port .row.metrics_port)) | nindent 4 }}
    {{- range $caller, $row := $root.rows }}
    {{- if and $.row.grpc_port (has (printf "%s_grpc" $.name) $row.wiring) }}
    {{- include "vigil.edge" (dict "root" $root "component" $caller "way" "from" "port" $.row.grpc_port) | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- if eq .row.kind "gateway" }}
    - ports:
        - {port: {{ .row.http_port }}, protocol: TCP}
        - {port: {{ .row.grpc_port }}, protocol: TCP}
      {{- with $root.Values.networkPolicy.gatewayFrom }}
      from:
        {{- toYaml . | nindent 8 }}
        {{- include "vigil.peer" (dict "root" $root "component" "test") | nindent 8 }}
      {{- end }}
    {{- end }}
    {{- with include "vigil.webrtcEdge" . | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with .block.networkPolicy.extraIngress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  egress:
    {{- include "vigil.storeEdge" (dict "root" $root "store" "nats" "port" 4222) | nindent 4 }}
    {{- if .row.uses_redis }}
    {{- include "vigil.storeEdge" (dict "root" $root "store" "redis" "port" 6379) | nindent 4 }}
    {{- end }}
    {{- range $called, $row := $root.rows }}
    {{- if and $row.grpc_port (has (printf "%s_grpc" $called) $.row.wiring) }}
    {{- include "vigil.edge" (dict "root" $root "component" $called "way" "to" "port" $row.grpc_port) | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- if has "engine_urls" .row.wiring }}
    {{- range $engine, $own := $root.Values.engines }}
    {{- $block := mergeOverwrite (deepCopy $root.Values.engineDefaults) $own }}
    {{- if $block.enabled }}
    {{- include "vigil.edge" (dict "root" $root "component" (printf "engine-%s" $engine) "way" "to" "port" 8000) | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- with $root.Values.externalEngines.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- with $root.Values.observability.tracing.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .block.networkPolicy.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}
