{{/* What the schema cannot say: values that do not fit together, each with what to do. */}}
{{- define "vigil.checks" -}}
{{- $rows := .Files.Get "files/services.json" | fromJson -}}
{{- range $name, $own := .Values.services -}}
{{- if not (hasKey $rows $name) -}}
{{- fail (printf "services.%s: there is no such service; the services are %s" $name (keys $rows | sortAlpha | join ", ")) -}}
{{- end -}}
{{- $block := mergeOverwrite (deepCopy $.Values.serviceDefaults) $own -}}
{{- $scaling := $block.autoscaling -}}
{{- if and $scaling.enabled (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- fail (printf "services.%s.autoscaling: minReplicas (%v) is above maxReplicas (%v): lower it, or raise maxReplicas" $name $scaling.minReplicas $scaling.maxReplicas) -}}
{{- end -}}
{{- if and $scaling.enabled (eq $scaling.kind "keda") (ne (get $rows $name).kind "claimer") -}}
{{- fail (printf "services.%s.autoscaling.kind: keda counts sessions, which %s does not hold: use hpa" $name $name) -}}
{{- end -}}
{{- if eq (toString $block.image.tag) "latest" -}}
{{- fail (printf "services.%s.image.tag: latest is a moving tag: name a version, or give a digest" $name) -}}
{{- end -}}
{{- if and $block.enabled (has "webhooks_file" (get $rows $name).wiring) (not $.Values.webhooks.existingSecret) -}}
{{- fail (printf "services.%s needs its endpoints: make a Secret with the key webhooks.json and name it in webhooks.existingSecret" $name) -}}
{{- end -}}
{{- end -}}
{{- if eq (toString .Values.images.tag) "latest" -}}
{{- fail "images.tag: latest is a moving tag: name a version, or leave it empty for the chart's own" -}}
{{- end -}}
{{- include "vigil.checkWebrtc" . -}}
{{- include "vigil.checkEngines" . -}}
{{- include "vigil.checkStores" . -}}
{{- include "vigil.checkTenants" . -}}
{{- if and .Values.apiKeys.existingSecret (not .Values.credentials.existingSecret) .Values.test.enabled -}}
{{- fail "apiKeys.existingSecret: `helm test` needs a key that is in it: put one into a Secret as cli.api_key and name that Secret in credentials.existingSecret, or set test.enabled=false" -}}
{{- end -}}
{{- if and .Values.test.enabled (ne .Values.model.profile "vigil-small") -}}
{{- fail (printf "test.enabled: `helm test` shows the rendered world, which the profile %s does not know: set test.enabled=false" .Values.model.profile) -}}
{{- end -}}
{{- end -}}

{{- define "vigil.checkWebrtc" -}}
{{- $first := include "vigil.webrtcFirst" . | int -}}
{{- $last := include "vigil.webrtcLast" . | int -}}
{{- if or (gt $first $last) (gt $last 65535) (gt (sub $last $first) 199) -}}
{{- fail (printf "webrtc.udpPorts: %s is no range of at most 200 ports: give the first and the last, as in 50000-50019" .Values.webrtc.udpPorts) -}}
{{- end -}}
{{- if and .Values.webrtc.enabled (not .Values.webrtc.hostPorts) (not .Values.webrtc.iceServers.existingSecret) -}}
{{- fail "webrtc.hostPorts is false, so clients reach a pod at a TURN server alone: name the Secret that has it in webrtc.iceServers.existingSecret" -}}
{{- end -}}
{{- end -}}

{{- define "vigil.checkEngines" -}}
{{- $engines := 0 -}}
{{- range $name, $own := .Values.engines -}}
{{- $block := mergeOverwrite (deepCopy $.Values.engineDefaults) $own -}}
{{- if $block.enabled -}}
{{- $engines = add1 $engines -}}
{{- $model := $block.model -}}
{{- $sources := len (compact (list $model.hub $model.path $model.fromImage)) -}}
{{- if ne $sources 1 -}}
{{- fail (printf "engines.%s.model: give one of hub, path and fromImage; there are %d" $name $sources) -}}
{{- end -}}
{{- if and $model.hub (not (regexMatch "^[0-9a-f]{40}$" $model.revision)) -}}
{{- fail (printf "engines.%s.model.revision: pin the model of the hub by its commit, 40 hex digits; it is %q" $name $model.revision) -}}
{{- end -}}
{{- if and $model.path (not (or $block.cache.existingClaim $block.cache.hostPath)) -}}
{{- fail (printf "engines.%s.model.path is a folder in the cache: name the volume that has it in cache.existingClaim or cache.hostPath" $name) -}}
{{- end -}}
{{- if and (eq $block.kind "cpu") $model.hub -}}
{{- fail (printf "engines.%s: an engine on the CPU loads from a folder: give model.fromImage or model.path" $name) -}}
{{- end -}}
{{- if eq (toString $block.image.tag) "latest" -}}
{{- fail (printf "engines.%s.image.tag: latest is a moving tag: name a version, or give a digest" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq $engines 0) (not .Values.externalEngines.urls) -}}
{{- fail "there is no engine: enable one of engines, or name servers in externalEngines.urls" -}}
{{- end -}}
{{- end -}}

{{- define "vigil.checkStores" -}}
{{- range $store := list "nats" "redis" -}}
{{- $block := get $.Values $store -}}
{{- if not (or $block.enabled $block.external.url $.Values.credentials.existingSecret) -}}
{{- fail (printf "%s.enabled is false, and nothing says where %s is: name a Secret with its addresses in credentials.existingSecret, or set %s.external.url" $store $store $store) -}}
{{- end -}}
{{- if and $block.enabled $block.external.url -}}
{{- fail (printf "%s.external.url is set and %s.enabled is true: set %s.enabled=false to use yours" $store $store $store) -}}
{{- end -}}
{{- if regexMatch "//[^/]*@" $block.external.url -}}
{{- fail (printf "%s.external.url holds a password, which `helm get values` would show: put the addresses into a Secret and name it in credentials.existingSecret" $store) -}}
{{- end -}}
{{- end -}}
{{- if and (or .Values.tls.nats .Values.tls.redis) (not .Values.tls.ca) -}}
{{- fail "tls.ca: name the Secret with the ca.crt that vouches for NATS and Redis" -}}
{{- end -}}
{{- end -}}

{{/* The password of a tenant stands in a variable, in whose name "-" and "_" are alike. */}}
{{- define "vigil.checkTenants" -}}
{{- $known := dict -}}
{{- range $tenant := .Values.tenants -}}
{{- $name := replace "-" "_" $tenant -}}
{{- if hasKey $known $name -}}
{{- fail (printf "tenants: %s and %s would have one password: rename one" (get $known $name) $tenant) -}}
{{- end -}}
{{- $_ := set $known $name $tenant -}}
{{- end -}}
{{- range $module := .Values.modules -}}
{{- $tenant := first (splitList "/" $module) -}}
{{- if not (has $tenant $.Values.tenants) -}}
{{- fail (printf "modules: %s is of the tenant %s, which is not in tenants: add it there" $module $tenant) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "vigil.renderedSources" -}}{{ join "," .Values.renderedSources }}{{- end -}}
