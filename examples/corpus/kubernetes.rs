//! Kubernetes manifests of applications: a workload with what belongs to it, mostly sound and here and there not.

use super::random::{Random, fill};

const WORDS: &[&str] =
    &["cart", "checkout", "feed", "image", "invoice", "notifier", "payment", "session", "stock", "token"];

/// The manifests of one application, five to seven documents.
pub fn application(random: &mut Random, number: usize) -> String {
    let name = format!("{}-{number}", random.pick(WORDS));
    let replicas = random.between(2, 6).to_string();
    let port = random.pick(&["8080", "8443", "9000"]);
    let minor = random.between(0, 40).to_string();
    let values = [
        ("@name", name.as_str()),
        ("@replicas", replicas.as_str()),
        ("@port", port),
        ("@minor", minor.as_str()),
        ("@nonroot", random.mostly("true", "false")),
        ("@escalation", random.mostly("false", "true")),
        ("@readonly", random.mostly("true", "false")),
        ("@verb", random.mostly("get", "\"*\"")),
        ("@pull", random.mostly("IfNotPresent", "Always")),
    ];
    let mut text = fill(WORKLOAD, &values);
    text.push_str(&fill(SERVICE, &values));
    if random.chance(60) {
        text.push_str(&fill(ROUTES, &values));
    }
    if random.chance(40) {
        text.push_str(&fill(JOB, &values));
    }
    text.push_str(&fill(ROLE, &values));
    text
}

/// A file of at least `size` bytes.
pub fn single(random: &mut Random, size: usize) -> String {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < size {
        text.push_str(&application(random, number));
        number += 1;
    }
    text
}

/// One manifest.
pub fn small(random: &mut Random, number: usize) -> String {
    let name = format!("{}-{number}", random.pick(WORDS));
    fill(SERVICE, &[("@name", &name), ("@port", "8080")])
}

const WORKLOAD: &str = r#"---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: @name
  namespace: shop
  labels: &labels
    app.kubernetes.io/name: @name
    app.kubernetes.io/part-of: shop
    app.kubernetes.io/version: "1.@minor.0"
spec:
  replicas: @replicas
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  selector:
    matchLabels:
      app.kubernetes.io/name: @name
  template:
    metadata:
      labels: *labels
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "@port"
    spec:
      serviceAccountName: @name
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: @nonroot
        runAsUser: 10001
        fsGroup: 10001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: app
          # Tags are immutable in this registry.
          image: registry.example.com/shop/@name:1.@minor.0
          imagePullPolicy: @pull
          args: ["--listen", ":@port", "--log-format=json"]
          ports:
            - name: http
              containerPort: @port
              protocol: TCP
          env:
            - name: DATABASE_HOST
              value: database.shop.svc.cluster.local
            - name: DATABASE_PASSWORD
              valueFrom:
                secretKeyRef:
                  name: @name-database
                  key: password
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 256Mi
          securityContext:
            allowPrivilegeEscalation: @escalation
            readOnlyRootFilesystem: @readonly
            capabilities:
              drop: [ALL]
          readinessProbe:
            httpGet: { path: /ready, port: http }
            periodSeconds: 5
          livenessProbe:
            httpGet: { path: /alive, port: http }
            initialDelaySeconds: 10
          volumeMounts:
            - name: scratch
              mountPath: /tmp
            - name: settings
              mountPath: /etc/app
              readOnly: true
      volumes:
        - name: scratch
          emptyDir: {}
        - name: settings
          configMap:
            name: @name
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: @name
  namespace: shop
data:
  app.yaml: |
    listen: ":@port"
    cache:
      size: 512
      ttl: 30s
    features:
      - checkout-v2
      - gift-cards
  LOG_LEVEL: info
"#;

const SERVICE: &str = r#"---
apiVersion: v1
kind: Service
metadata:
  name: @name
  namespace: shop
spec:
  type: ClusterIP
  selector:
    app.kubernetes.io/name: @name
  ports:
    - name: http
      port: 80
      targetPort: @port
"#;

const ROUTES: &str = r#"---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: @name
  namespace: shop
  annotations:
    cert-manager.io/cluster-issuer: letsencrypt
spec:
  ingressClassName: nginx
  tls:
    - hosts: ["@name.example.com"]
      secretName: @name-tls
  rules:
    - host: "@name.example.com"
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: @name
                port: { name: http }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: @name
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: @name
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchLabels: { kubernetes.io/metadata.name: ingress-nginx }
      ports:
        - port: @port
"#;

const JOB: &str = r#"---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: @name-cleanup
  namespace: shop
spec:
  schedule: "17 3 * * *"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          automountServiceAccountToken: false
          securityContext: { runAsNonRoot: @nonroot, runAsUser: 10001 }
          containers:
            - name: cleanup
              image: registry.example.com/shop/@name:1.@minor.0
              command: ["/app/cleanup", "--older-than", "30d"]
              securityContext:
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities: { drop: [ALL] }
              resources:
                requests: { cpu: 50m, memory: 64Mi }
                limits: { memory: 64Mi }
"#;

const ROLE: &str = r#"---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: @name
  namespace: shop
rules:
  - apiGroups: [""]
    resources: [configmaps, endpoints]
    verbs: [@verb, list, watch]
"#;
