{{/* The image of a block. Takes (dict "root" $ "image" block.image "name" default repository): an image of ours gets the
     common registry and tag, unless the block gives its own. A digest beats the tag. */}}
{{- define "vigil.image" -}}
{{- $image := default dict .image -}}
{{- $repository := default (printf "%s%s" .root.Values.images.registry .name) $image.repository -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default (default .root.Chart.AppVersion .root.Values.images.tag) $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Who a pod runs as, and that it has no token of the Kubernetes API. */}}
{{- define "vigil.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .Values.runAs }}
  runAsGroup: {{ .Values.runAs }}
  fsGroup: {{ .Values.runAs }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "vigil.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* Where the pods of a block go. Takes (dict "root" $ "component" name "block" block). Without constraints of its own
     a component spreads over the nodes. */}}
{{- define "vigil.scheduling" -}}
{{- with .block.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .block.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .block.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .block.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .block.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
topologySpreadConstraints:
{{- with .block.topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
{{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "vigil.selector" . | nindent 8 }}
{{- end }}
{{- end -}}

{{/* The labels and annotations of a pod. Takes (dict "root" $ "component" name "block" block "checksum" text). */}}
{{- define "vigil.podMetadata" -}}
labels:
  {{- include "vigil.labels" . | nindent 2 }}
  {{- with .block.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- if or .checksum .block.podAnnotations }}
annotations:
  {{- with .checksum }}
  checksum/config: {{ sha256sum . }}
  {{- end }}
  {{- with .block.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A disruption budget. Takes (dict "root" $ "component" name "block" block). */}}
{{- define "vigil.pdb" }}
{{- if .block.pdb.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "vigil.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ .block.pdb.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "vigil.selector" . | nindent 6 }}
{{- end }}
{{- end -}}

{{/* A Prometheus operator's monitor of a component. Takes (dict "root" $ "component" name "block" block "port" name): the
     port is one of the pods, for a Service that others reach does not lead to the metrics. */}}
{{- define "vigil.serviceMonitor" }}
{{- if .block.serviceMonitor.enabled }}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "vigil.metadata" . | nindent 2 }}
    {{- with .block.serviceMonitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  jobLabel: app.kubernetes.io/component
  selector:
    matchLabels:
      {{- include "vigil.selector" . | nindent 6 }}
  endpoints:
    - targetPort: {{ .port }}
      path: /metrics
      interval: {{ .block.serviceMonitor.interval }}
{{- end }}
{{- end -}}
