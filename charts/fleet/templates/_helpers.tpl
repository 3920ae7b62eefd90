{{- define "fleet.registry" -}}
{{- if .Values.global.cattle.systemDefaultRegistry -}}{{ printf "%s/" .Values.global.cattle.systemDefaultRegistry }}{{- end -}}
{{- end -}}

{{- define "fleet.image" -}}
{{ include "fleet.registry" . }}{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end -}}

{{- define "fleet.agentImage" -}}
{{ include "fleet.registry" . }}{{ .Values.agentImage.repository }}:{{ .Values.agentImage.tag }}
{{- end -}}

{{/* The environment every component reads: who it is, and how it elects its leader. */}}
{{- define "fleet.env" -}}
- name: NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_UID
  valueFrom:
    fieldRef:
      fieldPath: metadata.uid
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: NODE_NAME
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
- name: CATTLE_ELECTION_PROFILE
  value: {{ .Values.leaderElection.profile | quote }}
- name: CATTLE_ELECTION_LEASE_DURATION
  value: {{ .Values.leaderElection.leaseDuration | quote }}
- name: CATTLE_ELECTION_RENEW_DEADLINE
  value: {{ .Values.leaderElection.renewDeadline | quote }}
- name: CATTLE_ELECTION_RETRY_PERIOD
  value: {{ .Values.leaderElection.retryPeriod | quote }}
- name: CATTLE_ELECTION_RESOURCE_LOCK
  value: {{ .Values.leaderElection.resourceLock | quote }}
- name: CATTLE_ELECTION_WATCHDOG
  value: {{ .Values.leaderElection.watchdog | quote }}
- name: FLEET_FORCE_DELETE_TERMINATING_PODS
  value: {{ .Values.availability.forceDeleteTerminatingPods | quote }}
- name: FLEET_UNREACHABLE_NODE_AFTER
  value: {{ .Values.availability.unreachableNodeAfter | quote }}
{{- if .Values.proxy }}
- name: HTTP_PROXY
  value: {{ .Values.proxy | quote }}
- name: HTTPS_PROXY
  value: {{ .Values.proxy | quote }}
- name: NO_PROXY
  value: {{ .Values.noProxy | quote }}
{{- end }}
{{- if .Values.debug }}
- name: FLEET_LOG_LEVEL
  value: debug
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Where pods go: apart from each other, and away from dead nodes soon. Call with (dict "root" $ "app" NAME). */}}
{{- define "fleet.placement" -}}
{{- $root := .root -}}
topologySpreadConstraints:
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: {{ $root.Values.availability.whenUnsatisfiable }}
  labelSelector:
    matchLabels:
      app: {{ .app }}
affinity:
{{- if $root.Values.affinity }}
  {{- toYaml $root.Values.affinity | nindent 2 }}
{{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            app: {{ .app }}
{{- end }}
nodeSelector:
  kubernetes.io/os: linux
{{- with $root.Values.nodeSelector }}
  {{- toYaml . | nindent 2 }}
{{- end }}
tolerations:
- key: node.kubernetes.io/unreachable
  operator: Exists
  effect: NoExecute
  tolerationSeconds: {{ $root.Values.availability.tolerationSeconds }}
- key: node.kubernetes.io/not-ready
  operator: Exists
  effect: NoExecute
  tolerationSeconds: {{ $root.Values.availability.tolerationSeconds }}
{{- with $root.Values.tolerations }}
{{ toYaml . }}
{{- end }}
{{- with $root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $root.Values.global.cattle.imagePullSecrets }}
imagePullSecrets:
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What every container of ours has besides its command and environment. */}}
{{- define "fleet.container" -}}
image: {{ include "fleet.image" . | quote }}
imagePullPolicy: {{ .Values.image.imagePullPolicy }}
ports:
- name: metrics
  containerPort: 8080
- name: health
  containerPort: 8081
livenessProbe:
  httpGet:
    path: /healthz
    port: health
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet:
    path: /readyz
    port: health
  periodSeconds: 10
  timeoutSeconds: 5
startupProbe:
  httpGet:
    path: /readyz
    port: health
  periodSeconds: 1
  failureThreshold: 60
{{- if not .Values.disableSecurityContext }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  privileged: false
  capabilities:
    drop:
    - ALL
{{- end }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "fleet.podSecurityContext" -}}
{{- if not .Values.disableSecurityContext }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
{{- end }}
{{- end -}}
