{{/* WebRTC: a client's media must reach the one ingestion pod that holds its session. A Service would lead it to any of
     them, and one Service for each pod would need pods with names of their own; so the pod takes ports of its node, and
     clients are told the node's address. Each takes (dict "root" $ "name" name "row" row "block" block). */}}

{{/* Whether this service receives media, and whether its pods are reached at ports of their nodes: not empty then. */}}
{{- define "vigil.webrtcReceives" -}}
{{- if and (eq .name "ingestion") .root.Values.webrtc.enabled }}yes{{ end -}}
{{- end -}}

{{/* The ports of the container that are ports of its node too. */}}
{{- define "vigil.webrtcHostPorts" -}}
{{- if and (include "vigil.webrtcReceives" .) .root.Values.webrtc.hostPorts }}
{{- range untilStep (include "vigil.webrtcFirst" .root | int) (include "vigil.webrtcLast" .root | int | add1 | int) 1 }}
- {containerPort: {{ . }}, hostPort: {{ . }}, protocol: UDP}
{{- end }}
{{- end }}
{{- end -}}

{{- define "vigil.webrtcFirst" -}}{{ (splitList "-" .Values.webrtc.udpPorts) | first }}{{- end -}}
{{- define "vigil.webrtcLast" -}}{{ (splitList "-" .Values.webrtc.udpPorts) | last }}{{- end -}}

{{- define "vigil.webrtcEnv" }}
{{- if include "vigil.webrtcReceives" . }}
- {name: VIGIL_WEBRTC_UDP_PORTS, value: {{ .root.Values.webrtc.udpPorts | quote }}}
{{- with .root.Values.webrtc.advertisedAddress }}
- {name: VIGIL_WEBRTC_ADVERTISED_ADDRESS, value: {{ . | quote }}}
{{- else }}
{{- if .root.Values.webrtc.hostPorts }}
- name: VIGIL_WEBRTC_ADVERTISED_ADDRESS
  valueFrom: {fieldRef: {fieldPath: status.hostIP}}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The STUN and TURN servers, as a file beside the passwords: the worker asks them, the gateway tells clients of them. */}}
{{- define "vigil.iceServers" }}
{{- $receives := include "vigil.webrtcReceives" . }}
{{- if and .root.Values.webrtc.enabled .root.Values.webrtc.iceServers.existingSecret (or $receives (eq .row.kind "gateway")) }}
- secret:
    name: {{ .root.Values.webrtc.iceServers.existingSecret }}
    items:
      - {key: ice_servers, path: ice_servers}
{{- end }}
{{- end -}}

{{/* Who may send media to the pods. */}}
{{- define "vigil.webrtcEdge" }}
{{- if include "vigil.webrtcReceives" . }}
- ports:
    {{- $first := include "vigil.webrtcFirst" .root | int }}
    {{- $last := include "vigil.webrtcLast" .root | int }}
    {{- if semverCompare ">=1.25-0" .root.Capabilities.KubeVersion.Version }}
    - {port: {{ $first }}, endPort: {{ $last }}, protocol: UDP}
    {{- else }}{{- /* a range of ports is not known there */}}
    {{- range untilStep $first (add1 $last | int) 1 }}
    - {port: {{ . }}, protocol: UDP}
    {{- end }}
    {{- end }}
  {{- with .root.Values.webrtc.from }}
  from:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}
