{{/* The name that every object begins with. */}}
{{- define "vigil.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods of a component. Takes (dict "root" $ "component" name). */}}
{{- define "vigil.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* The labels of an object. Takes (dict "root" $ "component" name). */}}
{{- define "vigil.labels" -}}
{{ include "vigil.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: vigil
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* Name, namespace and labels of an object. Takes (dict "root" $ "component" name "name" suffix). */}}
{{- define "vigil.metadata" -}}
name: {{ include "vigil.fullname" .root }}-{{ default .component .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "vigil.labels" . | nindent 2 }}
{{- end -}}

{{/* The Secret of all passwords and addresses that hold one. */}}
{{- define "vigil.credentials" -}}
{{- default (printf "%s-credentials" (include "vigil.fullname" .)) .Values.credentials.existingSecret -}}
{{- end -}}

{{/* The Secret of the gateway's key file. */}}
{{- define "vigil.apiKeys" -}}
{{- default (printf "%s-api-keys" (include "vigil.fullname" .)) .Values.apiKeys.existingSecret -}}
{{- end -}}

{{/* The host of NATS and Redis inside the cluster. */}}
{{- define "vigil.natsHost" -}}{{ include "vigil.fullname" . }}-nats{{- end -}}
{{- define "vigil.redisHost" -}}{{ include "vigil.fullname" . }}-redis{{- end -}}

{{/* The variable of a user's password, as files/nats.json and files/redis-users.json name it. */}}
{{- define "vigil.passwordOf" -}}{{ printf "%s_PASSWORD_%s" .store (.user | upper | replace "-" "_" | replace "." "__") }}{{- end -}}
