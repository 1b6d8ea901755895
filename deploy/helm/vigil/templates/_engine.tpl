{{/* An engine: vLLM with one model. Takes (dict "root" $ "name" name "block" block).

     A StatefulSet, for two reasons. Each replica has an address of its own, and a session stays at the engine that knows
     its prompt: a load balancer before them would have every turn computed anew. And they are updated one after the
     other: where each has the only free GPU, a second one could not start beside the first. */}}
{{- define "vigil.engine" -}}
{{- $component := printf "engine-%s" .name }}
{{- $context := dict "root" .root "component" $component "block" .block }}
{{- $block := .block }}
---
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
spec:
  clusterIP: None
  publishNotReadyAddresses: true # interaction asks each engine itself whether it is ready
  selector:
    {{- include "vigil.selector" $context | nindent 4 }}
  ports:
    - name: http
      port: 8000
      protocol: TCP
      targetPort: http
---
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "vigil.metadata" $context | nindent 2 }}
data:
  warm.py: |
    {{- .root.Files.Get "files/engine-warm.py" | nindent 4 }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "vigil.metadata" $context | nindent 2 }}
spec:
  serviceName: {{ include "vigil.fullname" .root }}-{{ $component }}
  replicas: {{ $block.replicas }}
  podManagementPolicy: Parallel
  selector:
    matchLabels:
      {{- include "vigil.selector" $context | nindent 6 }}
  template:
    metadata:
      {{- include "vigil.podMetadata" $context | nindent 6 }}
    spec:
      {{- include "vigil.podSecurity" .root | nindent 6 }}
      serviceAccountName: {{ include "vigil.fullname" .root }}-{{ $component }}
      {{- include "vigil.scheduling" $context | trim | nindent 6 }}
      terminationGracePeriodSeconds: 30
      {{- if $block.model.hub }}
      initContainers:
        - name: weights # fetched once into the cache, in as long as that takes; the engine itself asks no hub
          image: {{ include "vigil.vllmImage" . }}
          imagePullPolicy: {{ .root.Values.images.pullPolicy }}
          {{- include "vigil.containerSecurity" .root | nindent 10 }}
          command:
            - python3
            - -c
            - import sys, huggingface_hub; huggingface_hub.snapshot_download(sys.argv[1], revision=sys.argv[2])
            - {{ $block.model.hub | quote }}
            - {{ $block.model.revision | quote }}
          env:
            - {name: HOME, value: /tmp}
            - {name: HF_HOME, value: /models/hub}
            {{- if $block.hubTokenSecret }}
            - {name: HF_TOKEN_PATH, value: /run/secrets/hub/token}
            {{- end }}
          resources:
            requests: {cpu: 500m, memory: 512Mi}
            limits: {memory: 4Gi}
          volumeMounts:
            - {name: models, mountPath: /models}
            - {name: tmp, mountPath: /tmp}
            {{- if $block.hubTokenSecret }}
            - {name: hub, mountPath: /run/secrets/hub, readOnly: true}
            {{- end }}
      {{- else if $block.model.fromImage }}
      initContainers:
        - name: weights
          image: {{ include "vigil.image" (dict "root" .root "image" $block.weightsImage "name" "vigil-model-small") }}
          imagePullPolicy: {{ .root.Values.images.pullPolicy }}
          {{- include "vigil.containerSecurity" .root | nindent 10 }}
          resources:
            requests: {cpu: 50m, memory: 32Mi}
            limits: {memory: 128Mi}
          volumeMounts:
            - {name: models, mountPath: /volume}
            - {name: tmp, mountPath: /tmp}
      {{- end }}
      containers:
        - name: engine
          {{- if eq $block.kind "cpu" }}
          image: {{ include "vigil.image" (dict "root" .root "image" $block.image "name" "vigil-engine-cpu") }}
          args:
            - {{ include "vigil.modelPath" . }}
            - {{ include "vigil.servedName" . }}
            {{- range $block.args }}
            - {{ . | quote }}
            {{- end }}
          {{- else }}
          image: {{ include "vigil.vllmImage" . }}
          command: [python3, -m, vllm.entrypoints.openai.api_server]
          args:
            {{- include "vigil.vllmArgs" . | nindent 12 }}
          {{- end }}
          imagePullPolicy: {{ .root.Values.images.pullPolicy }}
          {{- include "vigil.containerSecurity" .root | nindent 10 }}
          env:
            {{- include "vigil.engineEnv" . | nindent 12 }}
          ports:
            - {name: http, containerPort: 8000, protocol: TCP}
          # Started once it is healthy, lists the model, and has answered one turn with a picture: ten minutes at most.
          startupProbe:
            exec:
              command: [python3, /etc/vigil/engine/warm.py, {{ include "vigil.servedName" . | quote }}]
            periodSeconds: 10
            timeoutSeconds: 60
            failureThreshold: 60
          readinessProbe:
            httpGet: {path: /health, port: http}
            periodSeconds: 5
            timeoutSeconds: 3
          livenessProbe:
            httpGet: {path: /health, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          resources:
            {{- include "vigil.engineResources" . | nindent 12 }}
          volumeMounts:
            - {name: models, mountPath: /models}
            - {name: tmp, mountPath: /tmp}
            - {name: shm, mountPath: /dev/shm}
            - {name: warm, mountPath: /etc/vigil/engine, readOnly: true}
            {{- with $block.extraVolumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        - name: tmp
          emptyDir: {sizeLimit: {{ $block.tmpSize }}}
        - name: shm
          emptyDir: {medium: Memory, sizeLimit: {{ $block.shmSize }}}
        - name: warm
          configMap:
            name: {{ include "vigil.fullname" .root }}-{{ $component }}
        {{- if $block.hubTokenSecret }}
        - name: hub
          secret: {secretName: {{ $block.hubTokenSecret }}, defaultMode: 0440}
        {{- end }}
        {{- if not (include "vigil.cacheIsTemplate" .) }}
        - name: models
          {{- if $block.cache.existingClaim }}
          persistentVolumeClaim: {claimName: {{ $block.cache.existingClaim }}}
          {{- else if $block.cache.hostPath }}
          hostPath: {path: {{ $block.cache.hostPath }}, type: Directory}
          {{- else }}
          emptyDir: {sizeLimit: {{ $block.cache.size }}}
          {{- end }}
        {{- end }}
        {{- with $block.extraVolumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  {{- if include "vigil.cacheIsTemplate" . }}
  volumeClaimTemplates:
    - metadata:
        name: models
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $block.cache.storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ $block.cache.size }}
  {{- end }}
{{- include "vigil.pdb" $context }}
{{- include "vigil.serviceMonitor" (merge (dict "port" "http") $context) }}
{{- if .root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "vigil.metadata" $context | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "vigil.selector" $context | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- range $caller, $row := .root.Files.Get "files/services.json" | fromJson }}
    {{- if has "engine_urls" $row.wiring }}
    {{- include "vigil.edge" (dict "root" $.root "component" $caller "way" "from" "port" 8000) | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- include "vigil.metricsEdge" (dict "root" .root "port" 8000) | nindent 4 }}
  {{- if $block.model.hub }}
  egress: # the hub of models
    - ports:
        - {port: 443, protocol: TCP}
      to:
        - ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}
  {{- else }}
  egress: []
  {{- end }}
{{- end }}
{{- end -}}

{{/* The image of an engine on a GPU: the official one of vLLM, unless the block has its own. */}}
{{- define "vigil.vllmImage" -}}
{{- $image := .block.image -}}
{{- $vllm := .root.Values.vllm -}}
{{- $own := dict "repository" (default $vllm.repository $image.repository) "tag" (default $vllm.tag $image.tag) "digest" $image.digest -}}
{{- include "vigil.image" (dict "root" .root "image" $own) -}}
{{- end -}}

{{/* Each replica has a claim of its own unless all share one, or the weights come from an image. */}}
{{- define "vigil.cacheIsTemplate" -}}
{{- $cache := .block.cache -}}
{{- if not (or $cache.existingClaim $cache.hostPath .block.model.fromImage) }}yes{{ end -}}
{{- end -}}

{{- define "vigil.servedName" -}}{{ default .root.Values.model.name .block.model.name }}{{- end -}}

{{/* What is served: the folder of weights, or the id at the hub. */}}
{{- define "vigil.modelPath" -}}
{{- if .block.model.fromImage }}/models/{{ .block.model.fromImage }}{{ else if .block.model.path }}/models/{{ .block.model.path }}{{ else }}{{ .block.model.hub }}{{ end -}}
{{- end -}}

{{- define "vigil.vllmArgs" -}}
- --model
- {{ include "vigil.modelPath" . }}
{{- with .block.model.revision }}
- --revision
- {{ . | quote }}
{{- end }}
- --served-model-name
- {{ include "vigil.servedName" . }}
- --host
- 0.0.0.0
- --port
- "8000"
- --enable-prefix-caching
- --enable-prompt-tokens-details
- --limit-mm-per-prompt
- '{"image":256,"video":0}'
- --mm-processor-cache-gb
- {{ .block.imagesGb | quote }}
- --max-model-len
- {{ int .block.maxModelLen | quote }}
- --gpu-memory-utilization
- {{ .block.gpuMemoryUtilization | quote }}
- --kv-cache-dtype
- {{ .block.kvCacheDtype }}
{{- range .block.args }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "vigil.engineEnv" -}}
- {name: HOME, value: /tmp}
- {name: USER, value: vigil} # libraries that look for the name of user {{ .root.Values.runAs }}, which no file has
- {name: VLLM_NO_USAGE_STATS, value: "1"}
{{- if eq .block.kind "cpu" }}
- {name: VIGIL_ENGINE_HOST, value: 0.0.0.0}
- {name: VIGIL_ENGINE_PORT, value: "8000"}
- {name: VIGIL_ENGINE_IMAGES_GB, value: {{ .block.imagesGb | quote }}}
{{- else }}
- {name: HF_HOME, value: /models/hub}
- {name: VLLM_CACHE_ROOT, value: /tmp/vllm}
- {name: TRITON_CACHE_DIR, value: /tmp/triton}
- {name: TORCHINDUCTOR_CACHE_DIR, value: /tmp/inductor}
- {name: HF_HUB_OFFLINE, value: "1"}
{{- end }}
{{- range $name, $value := .block.env }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{/* The block's resources; on a GPU also so many of them. */}}
{{- define "vigil.engineResources" -}}
{{- $resources := deepCopy .block.resources -}}
{{- if eq .block.kind "gpu" -}}
{{- $_ := set $resources "limits" (merge (dict .block.gpu.resource .block.gpu.count) (default dict $resources.limits)) -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* The addresses of all engines, each replica by itself, then those that run elsewhere. */}}
{{- define "vigil.engineUrls" -}}
{{- $urls := list -}}
{{- $full := include "vigil.fullname" . -}}
{{- range $name, $own := .Values.engines -}}
{{- $block := mergeOverwrite (deepCopy $.Values.engineDefaults) $own -}}
{{- if $block.enabled -}}
{{- $host := printf "%s-engine-%s" $full $name -}}
{{- range $index := until (int $block.replicas) -}}
{{- $urls = append $urls (printf "http://%s-%d.%s:8000" $host $index $host) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- join "," (concat $urls .Values.externalEngines.urls) -}}
{{- end -}}

{{/* What interaction may count on: the smallest picture cache of all engines. */}}
{{- define "vigil.engineImagesGb" -}}
{{- $sizes := list -}}
{{- range $name, $own := .Values.engines -}}
{{- $block := mergeOverwrite (deepCopy $.Values.engineDefaults) $own -}}
{{- if $block.enabled }}{{ $sizes = append $sizes (float64 $block.imagesGb) }}{{ end -}}
{{- end -}}
{{- if .Values.externalEngines.urls }}{{ $sizes = append $sizes (float64 .Values.externalEngines.imagesGb) }}{{ end -}}
{{- $least := first $sizes -}}
{{- range $sizes }}{{ if lt . $least }}{{ $least = . }}{{ end }}{{ end -}}
{{- $least -}}
{{- end -}}
