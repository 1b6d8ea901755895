{{/* How many workers of a service run: a plain HorizontalPodAutoscaler by CPU, or KEDA by how full the workers are. */}}
{{- define "vigil.autoscaling" }}
{{- $scaling := .block.autoscaling }}
{{- $context := dict "root" .root "component" .name }}
{{- $target := printf "%s-%s" (include "vigil.fullname" .root) .name }}
{{- if and $scaling.enabled (eq $scaling.kind "hpa") }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "vigil.metadata" $context | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ $target }}
  minReplicas: {{ $scaling.minReplicas }}
  maxReplicas: {{ $scaling.maxReplicas }}
  behavior:
    {{- include "vigil.scalingBehavior" . | nindent 4 }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $scaling.targetCPUUtilization }}
{{- else if $scaling.enabled }}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "vigil.metadata" $context | nindent 2 }}
spec:
  scaleTargetRef:
    name: {{ $target }}
  minReplicaCount: {{ $scaling.minReplicas }}
  maxReplicaCount: {{ $scaling.maxReplicas }}
  pollingInterval: 10
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- include "vigil.scalingBehavior" . | nindent 8 }}
  triggers:
    {{- include "vigil.saturation" . | nindent 4 }}
    {{- with $scaling.keda.triggers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* Up at once, down slowly and one by one: each worker that goes hands its sessions over. */}}
{{- define "vigil.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
scaleDown:
  stabilizationWindowSeconds: 300
  policies:
    - {type: Pods, value: 1, periodSeconds: 60}
{{- end -}}

{{/* How full the workers of a role are (sessions over capacity). Interaction measures its capacity, and tells the share
     of late turns: where turns are late, half as many workers again are added at once. */}}
{{- define "vigil.saturation" -}}
{{- $keda := .block.autoscaling.keda -}}
{{- $of := printf "namespace=%q, job=%q" .root.Release.Namespace .name -}}
{{- $capacity := printf "%v * count(vigil_ready{%s})" (default .row.capacity .block.capacity) $of -}}
{{- if has "engine_urls" .row.wiring }}{{ $capacity = printf "sum(min by (pod) (vigil_capacity_sessions{%s}))" $of }}{{ end -}}
- type: prometheus
  name: saturation
  metricType: Value
  metadata:
    serverAddress: {{ $keda.serverAddress }}
    query: sum(vigil_claims_held{ {{- $of -}} }) / ({{ $capacity }})
    threshold: {{ $keda.targetSaturation | quote }}
{{- if has "engine_urls" .row.wiring }}
- type: prometheus
  name: late-turns
  metricType: Value
  metadata:
    serverAddress: {{ $keda.serverAddress }}
    query: clamp_max(max(vigil_late_share{ {{- $of -}} }) / {{ $keda.lateShare }}, 1.5)
    threshold: "1"
{{- end }}
{{- end -}}
