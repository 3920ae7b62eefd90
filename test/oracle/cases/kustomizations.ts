/** Kustomizations, one construct each: files by path, the kustomization in `.` unless `dir` says otherwise. */

export interface KustomizeCase {
  name: string;
  files: Readonly<Record<string, string>>;
  dir?: string;
}

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
  annotations: {old: "1"}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: runner
      imagePullSecrets: [{name: pull}]
      initContainers:
      - {name: init, image: "busybox:1.0", envFrom: [{secretRef: {name: creds}}]}
      containers:
      - name: main
        image: nginx:1.25
        args: [a, b]
        command: ["$(CMD)", "$(NOPE)"]
        env:
        - {name: A, value: "1"}
        - {name: B, valueFrom: {configMapKeyRef: {name: settings, key: b}}}
        - {name: C, valueFrom: {secretKeyRef: {name: creds, key: c}}}
        ports: [{containerPort: 80, name: http}, {containerPort: 443, name: https}]
        resources: {limits: {cpu: 100m, memory: 1Gi}}
        volumeMounts: [{name: conf, mountPath: /conf}, {name: data, mountPath: /data}]
        livenessProbe: {httpGet: {path: /, port: 80}}
      - {name: helper, image: "registry.io:5000/team/helper@sha256:0123456789012345678901234567890123456789012345678901234567890123"}
      volumes:
      - {name: conf, configMap: {name: settings}}
      - {name: data, persistentVolumeClaim: {claimName: store}}
      - name: all
        projected: {sources: [{configMap: {name: settings}}, {secret: {name: creds}}]}
      tolerations: [{key: k, operator: Exists}]
      nodeSelector: {disk: ssd}
`;
const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n  ports: [{port: 80, targetPort: 80, protocol: TCP, name: http}, {port: 53, protocol: UDP, name: dns}]\n';
const SETTINGS = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {b: "2", url: "http://web:80/path"}\n';
const MORE = `apiVersion: v1
kind: ServiceAccount
metadata: {name: runner}
secrets: [{name: creds}]
---
apiVersion: v1
kind: Secret
metadata: {name: creds}
stringData: {c: x}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: store}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: role}
rules: [{apiGroups: [""], resources: [configmaps], resourceNames: [settings, other], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: binding}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: role}
subjects: [{kind: ServiceAccount, name: runner}, {kind: ServiceAccount, name: default, namespace: default}, {kind: User, name: runner}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: in}
spec:
  ingressClassName: cls
  tls: [{hosts: [a.b], secretName: creds}]
  rules: [{host: a.b, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: hpa}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, minReplicas: 1, maxReplicas: 3}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: pdb}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: x}}}]}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cron}
spec: {schedule: "* * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "busybox:2"}]}}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: sts}
spec:
  serviceName: web
  selector: {matchLabels: {app: sts}}
  template: {metadata: {labels: {app: sts}}, spec: {containers: [{name: c, image: "nginx:1"}], affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: h, labelSelector: {matchLabels: {app: sts}}}]}}}}
  volumeClaimTemplates: [{metadata: {name: v}, spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: x
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: crole}
rules: [{apiGroups: [""], resources: [secrets], resourceNames: [creds], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: cbinding}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: crole}
subjects: [{kind: ServiceAccount, name: runner, namespace: default}]
---
apiVersion: v1
kind: Namespace
metadata: {name: space}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.ex.io}
spec: {group: ex.io, names: {kind: Thing, plural: things}, scope: Namespaced, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}
---
apiVersion: ex.io/v1
kind: Thing
metadata: {name: thing}
spec: {list: [{name: a, v: 1}, {name: b, v: 2}], ref: web, containers: [{name: q, image: "nginx:9"}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hook}
webhooks: [{name: a.b.c, clientConfig: {service: {name: web, namespace: default, path: /x}}, sideEffects: None, admissionReviewVersions: [v1], rules: []}]
`;
const ALL = { 'd.yaml': DEPLOYMENT, 's.yaml': SERVICE, 'c.yaml': SETTINGS, 'm.yaml': MORE };
const RES = 'resources: [d.yaml, s.yaml, c.yaml, m.yaml]\n';

const simple = (name: string, body: string, extra: Record<string, string> = {}): KustomizeCase => ({ name, files: { ...ALL, 'kustomization.yaml': RES + body, ...extra } });
const patch = (name: string, text: string, target = '', extra = ''): KustomizeCase => simple(`patch ${name}`, `patches:\n- patch: |\n${text.replace(/^/gm, '    ')}\n${target ? `  target: ${target}\n` : ''}${extra}`);
const spec = (body: string) => `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n${body.replace(/^/gm, '      ')}`;

export const KUSTOMIZATIONS: readonly KustomizeCase[] = [
  simple('plain', ''),
  simple('fifo', 'sortOptions: {order: fifo}\n'),
  simple('legacy', 'sortOptions: {order: legacy}\n'),
  simple('legacy custom', 'sortOptions: {order: legacy, legacySortOptions: {orderFirst: [Service, Deployment], orderLast: [Namespace]}}\n'),
  simple('bad order', 'sortOptions: {order: nope}\n'),
  simple('namespace', 'namespace: ns1\n'),
  simple('prefix', 'namePrefix: pre-\n'),
  simple('suffix', 'nameSuffix: -suf\n'),
  simple('prefix suffix namespace', 'namePrefix: a-\nnameSuffix: -z\nnamespace: nn\n'),
  simple('commonLabels', 'commonLabels: {team: x, app: over}\n'),
  simple('labels', 'labels: [{pairs: {team: x}}]\n'),
  simple('labels selectors', 'labels: [{pairs: {team: x}, includeSelectors: true}]\n'),
  simple('labels templates', 'labels: [{pairs: {team: x}, includeTemplates: true}]\n'),
  simple('labels fields', 'labels: [{pairs: {team: x}, fields: [{path: spec/extra/labels, kind: Thing, create: true}]}]\n'),
  simple('labels twice', 'labels: [{pairs: {a: x}}, {pairs: {b: y}, includeSelectors: true}]\n'),
  simple('commonAnnotations', 'commonAnnotations: {note: hello, old: "2"}\n'),
  simple('annotation number', 'commonAnnotations: {note: 1}\n'),
  simple('image tag', 'images: [{name: nginx, newTag: "2"}]\n'),
  simple('image name', 'images: [{name: nginx, newName: other/nginx}, {name: busybox, newName: bb, newTag: v1}]\n'),
  simple('image digest', 'images: [{name: nginx, digest: "sha256:abcdef"}]\n'),
  simple('image with registry', 'images: [{name: registry.io:5000/team/helper, newTag: v2}]\n'),
  simple('image none', 'images: [{name: nope, newTag: v2}]\n'),
  simple('image tag number', 'images: [{name: nginx, newTag: 2}]\n'),
  simple('image suffix', 'images: [{name: nginx, tagSuffix: -alpine}]\n'),
  simple('replicas', 'replicas: [{name: web, count: 5}, {name: sts, count: 2}]\n'),
  simple('replicas none', 'replicas: [{name: nope, count: 5}]\n'),
  simple('unknown field', 'nope: 1\n'),
  simple('bad yaml', 'labels: [\n'),
  simple('missing resource', 'components: [nope]\n'),
  { name: 'missing file', files: { 'kustomization.yaml': 'resources: [nope.yaml]\n' } },
  { name: 'empty', files: { 'kustomization.yaml': '' } },
  { name: 'only kind', files: { 'kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n' } },
  { name: 'bad kind', files: { 'kustomization.yaml': 'kind: Nope\nresources: []\n' } },
  { name: 'kustomization.yml', files: { 'kustomization.yml': 'resources: [c.yaml]\n', 'c.yaml': SETTINGS } },
  { name: 'Kustomization', files: { Kustomization: 'resources: [c.yaml]\n', 'c.yaml': SETTINGS } },
  { name: 'two files', files: { Kustomization: 'resources: [c.yaml]\n', 'kustomization.yaml': 'resources: [c.yaml]\n', 'c.yaml': SETTINGS } },
  { name: 'duplicate', files: { 'kustomization.yaml': 'resources: [a.yaml, b.yaml]\n', 'a.yaml': SETTINGS, 'b.yaml': SETTINGS } },
  { name: 'duplicate other namespace', files: { 'kustomization.yaml': 'resources: [a.yaml, b.yaml]\n', 'a.yaml': SETTINGS, 'b.yaml': SETTINGS.replace('name: settings', 'name: settings, namespace: q') } },
  { name: 'list', files: { 'kustomization.yaml': 'resources: [l.yaml]\nnamePrefix: p-\n', 'l.yaml': `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n` } },
  { name: 'no name', files: { 'kustomization.yaml': 'resources: [l.yaml]\n', 'l.yaml': 'apiVersion: v1\nkind: ConfigMap\n' } },
  { name: 'no kind', files: { 'kustomization.yaml': 'resources: [l.yaml]\n', 'l.yaml': 'apiVersion: v1\nmetadata: {name: x}\n' } },
  { name: 'base', dir: 'over', files: { 'base/kustomization.yaml': 'resources: [c.yaml, d.yaml]\nnamePrefix: b-\ncommonLabels: {l: b}\n', 'base/c.yaml': SETTINGS, 'base/d.yaml': DEPLOYMENT, 'over/kustomization.yaml': 'resources: [../base]\nnamePrefix: o-\nnamespace: ons\ncommonLabels: {l: o}\n' } },
  { name: 'bases field', dir: 'over', files: { 'base/kustomization.yaml': 'resources: [c.yaml]\n', 'base/c.yaml': SETTINGS, 'over/kustomization.yaml': 'bases: [../base]\nnameSuffix: -o\n' } },
  { name: 'two bases same name', files: { 'a/kustomization.yaml': 'resources: [../x]\nnamePrefix: a-\n', 'b/kustomization.yaml': 'resources: [../x]\nnamePrefix: b-\n', 'x/kustomization.yaml': 'resources: [c.yaml, d.yaml]\n', 'x/c.yaml': SETTINGS, 'x/d.yaml': DEPLOYMENT, 'kustomization.yaml': 'resources: [a, b]\nnamePrefix: top-\n' } },
  { name: 'diamond namespaces', files: { 'a/kustomization.yaml': 'resources: [../x]\nnamespace: a\n', 'b/kustomization.yaml': 'resources: [../x]\nnamespace: b\n', 'x/kustomization.yaml': 'resources: [c.yaml, d.yaml]\n', 'x/c.yaml': SETTINGS, 'x/d.yaml': DEPLOYMENT, 'kustomization.yaml': 'resources: [a, b]\n' } },
  { name: 'cycle', files: { 'a/kustomization.yaml': 'resources: [../b]\n', 'b/kustomization.yaml': 'resources: [../a]\n', 'kustomization.yaml': 'resources: [a]\n' } },
  { name: 'component', files: { ...ALL, 'comp/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- patch: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: settings}\n    data: {comp: "1"}\nlabels: [{pairs: {c: d}}]\nconfigMapGenerator: [{name: extra, literals: [a=1]}]\n', 'kustomization.yaml': `${RES}components: [comp]\nnamePrefix: p-\n` } },
  { name: 'component as resource', files: { 'comp/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: [{pairs: {c: d}}]\n', 'kustomization.yaml': 'resources: [comp]\n' } },
  { name: 'resource as component', files: { 'comp/kustomization.yaml': 'resources: [c.yaml]\n', 'comp/c.yaml': SETTINGS, 'kustomization.yaml': 'components: [comp]\n' } },
  simple('configMapGenerator literals', 'configMapGenerator: [{name: g, literals: [a=1, "b=x y", "c=\\"q\\"", "d=e=f", "n="]}]\n'),
  simple('configMapGenerator files', 'configMapGenerator: [{name: g, files: [f.txt, k=f.txt, bin.dat]}]\n', { 'f.txt': 'one\ntwo\n', 'bin.dat': 'x' }),
  simple('configMapGenerator envs', 'configMapGenerator: [{name: g, envs: [e.env]}]\n', { 'e.env': '# c\nA=1\n\nB=x y\nC="q"\n D=4\n' }),
  simple('configMapGenerator namespace', 'configMapGenerator: [{name: g, namespace: q, literals: [a=1]}]\n'),
  simple('configMapGenerator empty', 'configMapGenerator: [{name: g}]\n'),
  simple('configMapGenerator merge', 'configMapGenerator: [{name: settings, behavior: merge, literals: [a=1, b=3]}]\n'),
  simple('configMapGenerator replace', 'configMapGenerator: [{name: settings, behavior: replace, literals: [a=1]}]\n'),
  simple('configMapGenerator conflict', 'configMapGenerator: [{name: settings, literals: [a=1]}]\n'),
  simple('configMapGenerator merge missing', 'configMapGenerator: [{name: nope, behavior: merge, literals: [a=1]}]\n'),
  simple('configMapGenerator bad literal', 'configMapGenerator: [{name: g, literals: [a]}]\n'),
  simple('configMapGenerator duplicate key', 'configMapGenerator: [{name: g, literals: [a=1, a=2]}]\n'),
  simple('configMapGenerator bad key', 'configMapGenerator: [{name: g, literals: ["a b=1"]}]\n'),
  simple('configMapGenerator missing file', 'configMapGenerator: [{name: g, files: [nope]}]\n'),
  simple('configMapGenerator options', 'configMapGenerator: [{name: g, literals: [a=1], options: {labels: {l: "1"}, annotations: {nn: "2"}, disableNameSuffixHash: true, immutable: true}}]\n'),
  simple('generatorOptions', 'generatorOptions: {labels: {l: "1"}, annotations: {nn: "2"}, disableNameSuffixHash: true}\nconfigMapGenerator: [{name: g, literals: [a=1], options: {labels: {m: "3"}}}]\nsecretGenerator: [{name: s, literals: [a=1]}]\n'),
  simple('secretGenerator', `secretGenerator: [{name: s, literals: [a=1, "long=${'x'.repeat(90)}"]}, {name: t, type: kubernetes.io/tls, files: [tls.crt=f.txt, tls.key=f.txt]}]\n`, { 'f.txt': 'pem' }),
  simple('secretGenerator 52 bytes', `secretGenerator: [{name: s, literals: ["a=${'x'.repeat(52)}", "b=${'x'.repeat(51)}"]}]\n`),
  { name: 'generated names follow', files: { 'd.yaml': DEPLOYMENT, 'kustomization.yaml': 'resources: [d.yaml]\nconfigMapGenerator: [{name: settings, literals: [b=1]}]\nsecretGenerator: [{name: creds, literals: [c=1]}]\nnamePrefix: p-\n' } },
  { name: 'generator in base merged', dir: 'o', files: { 'b/kustomization.yaml': 'resources: [d.yaml]\nconfigMapGenerator: [{name: settings, literals: [b=1, k=2]}]\n', 'b/d.yaml': DEPLOYMENT, 'o/kustomization.yaml': 'resources: [../b]\nconfigMapGenerator: [{name: settings, behavior: merge, literals: [b=9]}]\nnamePrefix: o-\n' } },
  { name: 'generator in base replaced', dir: 'o', files: { 'b/kustomization.yaml': 'resources: [d.yaml]\nnamePrefix: b-\nconfigMapGenerator: [{name: settings, literals: [b=1, k=2]}]\n', 'b/d.yaml': DEPLOYMENT, 'o/kustomization.yaml': 'resources: [../b]\nconfigMapGenerator: [{name: b-settings, behavior: replace, literals: [b=9]}]\n' } },
  patch('container', spec('containers:\n- {name: main, image: "new:1"}')),
  patch('new container', spec('containers:\n- {name: side, image: s}\n- {name: main, env: [{name: Z, value: z}]}')),
  patch('delete container', spec('containers:\n- {name: helper, $patch: delete}')),
  patch('replace containers', spec('containers:\n- $patch: replace\n- {name: only, image: o}')),
  patch('delete field', spec('nodeSelector: null\nserviceAccountName: null')),
  patch('atomic list', spec('tolerations: [{key: other}]\ncontainers: [{name: main, args: [z]}]')),
  patch('replace map', spec('nodeSelector: {$patch: replace, x: y}')),
  patch('volumes', spec('volumes: [{name: conf, $patch: delete}, {name: extra, emptyDir: {}}, {name: data, persistentVolumeClaim: null, emptyDir: {}}]')),
  patch('ports', spec('containers: [{name: main, ports: [{containerPort: 80, protocol: UDP}, {containerPort: 8080}]}]')),
  patch('delete object', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n$patch: delete'),
  patch('no match', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: nope}'),
  patch('rename ignored', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other, labels: {x: "1"}}', '{kind: Deployment, name: web}'),
  patch('rename allowed', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other}', '{kind: Deployment, name: web}', '  options: {allowNameChange: true}\n'),
  patch('kind allowed', 'apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: web}', '{kind: Deployment, name: web}', '  options: {allowKindChange: true}\n'),
  patch('target regex', 'apiVersion: v1\nkind: any\nmetadata: {name: any, annotations: {t: "1"}}', '{name: "w.*|s.*"}'),
  patch('target label', 'apiVersion: v1\nkind: any\nmetadata: {name: any, annotations: {t: "1"}}', '{labelSelector: "app=web"}'),
  patch('target annotation', 'apiVersion: v1\nkind: any\nmetadata: {name: any, annotations: {t: "1"}}', '{annotationSelector: "old in (1,2)"}'),
  patch('target group', 'apiVersion: v1\nkind: any\nmetadata: {name: any, annotations: {t: "1"}}', '{group: apps, version: v1}'),
  patch('target none', 'apiVersion: v1\nkind: any\nmetadata: {name: any, annotations: {t: "1"}}', '{kind: Nope}'),
  patch('custom resource', 'apiVersion: ex.io/v1\nkind: Thing\nmetadata: {name: thing}\nspec: {list: [{name: b, v: 3}], ref: null}'),
  patch('service ports', 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80, protocol: TCP, targetPort: 8080}, {port: 53, protocol: TCP}]}'),
  patch('two documents', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {b: x}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: NodePort}'),
  patch('json', '- {op: replace, path: /spec/replicas, value: 7}\n- {op: add, path: /metadata/labels/new, value: l}\n- {op: remove, path: /metadata/annotations/old}\n- {op: add, path: /spec/template/spec/containers/-, value: {name: last, image: l}}\n- {op: add, path: /spec/template/spec/containers/0/args/0, value: first}', '{kind: Deployment}'),
  patch('json bad path', '- {op: replace, path: /spec/nope/x, value: 7}', '{kind: Deployment}'),
  patch('json test', '- {op: test, path: /spec/replicas, value: 2}', '{kind: Deployment}'),
  patch('json move copy', '- {op: move, from: /spec/replicas, path: /spec/paused}\n- {op: copy, from: /metadata/name, path: /metadata/labels/copy}', '{kind: Deployment}'),
  patch('json without target', '- {op: replace, path: /spec/replicas, value: 7}'),
  patch('json escape', '- {op: add, path: /metadata/annotations/a.b~1c, value: "1"}', '{kind: Deployment}'),
  simple('patch file', 'patches: [{path: p.yaml}]\n', { 'p.yaml': spec('hostNetwork: true') }),
  simple('patch file target', 'patches: [{path: p.json, target: {kind: Deployment}}]\n', { 'p.json': '[{"op": "replace", "path": "/spec/replicas", "value": 4}]' }),
  simple('patch missing file', 'patches: [{path: nope.yaml}]\n'),
  simple('patch path and patch', 'patches: [{path: p.yaml, patch: "a: 1"}]\n', { 'p.yaml': spec('hostNetwork: true') }),
  simple('patchesStrategicMerge', 'patchesStrategicMerge: [p.yaml]\n', { 'p.yaml': spec('hostNetwork: true') }),
  simple('patchesStrategicMerge inline', `patchesStrategicMerge:\n- |-\n${spec('hostNetwork: true').replace(/^/gm, '  ')}\n`),
  simple('patchesJson6902', 'patchesJson6902: [{target: {group: apps, version: v1, kind: Deployment, name: web}, patch: "- {op: replace, path: /spec/replicas, value: 8}"}]\nnamePrefix: p-\n'),
  simple('patchesJson6902 path', 'patchesJson6902: [{target: {version: v1, kind: Service, name: web}, path: j.yaml}]\n', { 'j.yaml': '- op: replace\n  path: /spec/ports/0/port\n  value: 81\n' }),
  simple('patch then prefix', 'namePrefix: p-\npatches:\n- patch: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: settings}\n    data: {z: "1"}\n'),
  simple('replacement', 'replacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.b}\n  targets:\n  - select: {kind: Deployment, name: web}\n    fieldPaths: ["spec.template.spec.containers.[name=main].env.[name=A].value", metadata.labels.app]\n'),
  simple('replacement delimiter', 'replacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.url, options: {delimiter: "/", index: 2}}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: ["spec.template.spec.containers.0.image"]\n    options: {delimiter: ":", index: 1}\n'),
  simple('replacement create', 'replacements:\n- source: {kind: Service, name: web}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [metadata.annotations.svc, spec.strategy.type]\n    options: {create: true}\n'),
  simple('replacement missing', 'replacements:\n- source: {kind: Service, name: web}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [spec.nope.deep]\n'),
  simple('replacement no source', 'replacements:\n- source: {kind: Nope, name: web}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [metadata.name]\n'),
  simple('replacement reject', 'replacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.b}\n  targets:\n  - select: {kind: Role}\n    fieldPaths: ["rules.0.verbs.0"]\n  - select: {}\n    reject: [{kind: Deployment}, {name: web}]\n    fieldPaths: [metadata.annotations.r]\n    options: {create: true}\n'),
  simple('replacement all', 'replacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.b}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: ["spec.template.spec.containers.*.image"]\n'),
  simple('replacement path', 'replacements: [{path: r.yaml}]\n', { 'r.yaml': 'source: {kind: ConfigMap, name: settings, fieldPath: data.b}\ntargets:\n- select: {kind: Deployment}\n  fieldPaths: [spec.template.metadata.labels.app]\n' }),
  simple('replacement number', 'replacements:\n- source: {kind: Deployment, name: web, fieldPath: spec.replicas}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.b]\n  - select: {kind: HorizontalPodAutoscaler}\n    fieldPaths: [spec.maxReplicas]\n'),
  simple('replacement object', 'replacements:\n- source: {kind: Deployment, name: web, fieldPath: spec.template.metadata.labels}\n  targets:\n  - select: {kind: Service, name: web}\n    fieldPaths: [spec.selector]\n'),
  simple('replacement sourceValue', 'replacements:\n- sourceValue: fixed\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [metadata.labels.app]\n'),
  simple('replacement dotted key', 'replacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.b}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: ["metadata.annotations.a\\\\.b/c", "metadata.annotations.[x.y/z]"]\n    options: {create: true}\n'),
  simple('vars', 'vars: [{name: CMD, objref: {apiVersion: v1, kind: Service, name: web}}]\nnamePrefix: p-\n'),
  simple('vars field', 'vars: [{name: CMD, objref: {apiVersion: v1, kind: ConfigMap, name: settings}, fieldref: {fieldpath: data.b}}]\n'),
  simple('vars missing', 'vars: [{name: CMD, objref: {apiVersion: v1, kind: ConfigMap, name: nope}}]\n'),
  simple('helmCharts', 'helmCharts: [{name: x}]\n'),
  simple('local config', 'configMapGenerator: [{name: g, literals: [a=1], options: {annotations: {config.kubernetes.io/local-config: "true"}}}]\n'),
  { name: 'crds openapi', files: { 't.yaml': 'apiVersion: ex.io/v1\nkind: Thing\nmetadata: {name: thing}\nspec: {list: [{name: a, v: 1}, {name: b, v: 2}]}\n', 'schema.json': JSON.stringify({ definitions: { 'v1.Thing': { properties: { spec: { properties: { list: { type: 'array', items: { type: 'object' }, 'x-kubernetes-patch-merge-key': 'name', 'x-kubernetes-patch-strategy': 'merge' } } } }, 'x-kubernetes-group-version-kind': [{ group: 'ex.io', version: 'v1', kind: 'Thing' }] } } }), 'kustomization.yaml': 'resources: [t.yaml]\nopenapi: {path: schema.json}\npatches:\n- patch: |\n    apiVersion: ex.io/v1\n    kind: Thing\n    metadata: {name: thing}\n    spec: {list: [{name: b, v: 3}]}\n' } },
];
