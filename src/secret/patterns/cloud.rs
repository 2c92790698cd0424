//! Clouds, hosting and networks.

use super::{Kind, Pattern, assigned, token, within};

pub(in crate::secret) const PATTERNS: &[Pattern] = &[
    // AWS. The prefixes are those of credentials among IAM's unique identifiers.
    token("AWS access key", &["AKIA", "ASIA", "ABIA", "ACCA"], "A(?:KI|SI|BI|CC)A[A-Z0-9]{16}").kind(Kind::AwsKey),
    assigned(
        "AWS secret access key",
        &[
            "aws_secret",
            "aws-secret",
            "awssecret",
            "secret_access_key",
            "secret-access-key",
            "secretaccesskey",
            "secretAccessKey",
            "SecretAccessKey",
            "awsSecret",
            "secret_key",
            "secretKey",
        ],
        "[A-Za-z0-9/+]{40}",
    )
    .kind(Kind::AwsKey)
    .entropy(4.0)
    .check(has_mixed_case),
    token(
        "AWS session token",
        &["IQoJb3JpZ2lu", "FwoGZXIvYXdz"],
        "(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9/+=]{100,2000}",
    )
    .kind(Kind::AwsKey),
    token("Amazon Bedrock API key", &["ABSKQmVkcm9ja"], "ABSKQmVkcm9ja[A-Za-z0-9+/]{90,260}={0,2}").kind(Kind::AwsKey),
    token("Amazon MWS token", &["amzn.mws."], "amzn\\.mws\\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    token("Amazon OAuth client secret", &["amzn1.oa2-cs.v1."], "amzn1\\.oa2-cs\\.v1\\.[0-9a-f]{64}"),
    // Google Cloud. The private key of a service account is found as a private key.
    token("Google API key", &["AIza"], "AIza[A-Za-z0-9_-]{35}"),
    token("Google OAuth client secret", &["GOCSPX-"], "GOCSPX-[A-Za-z0-9_-]{28}"),
    token("Google OAuth access token", &["ya29."], "ya29\\.[A-Za-z0-9_-]{30,1000}"),
    token("Google OAuth refresh token", &["1//0"], "1//0[A-Za-z0-9_-]{40,200}"),
    token("Google Cloud Storage HMAC key", &["GOOG1E"], "GOOG1E[A-Z0-9]{55}"),
    token("Firebase server key", &["AAAA"], "AAAA[A-Za-z0-9_-]{7}:APA91b[A-Za-z0-9_-]{134}"),
    // Azure. Keys of newer services carry a signature at a fixed place.
    token("Azure storage account key", &["AccountKey="], "AccountKey=([A-Za-z0-9+/]{86}==)"),
    within("Azure storage account key", &["+ASt"], 76, "[A-Za-z0-9+/]{76}\\+ASt[A-Za-z0-9+/]{6}=="),
    within("Azure Cosmos DB key", &["ACDb"], 76, "[A-Za-z0-9+/]{76}ACDb[A-Za-z0-9+/]{6}=="),
    within("Azure Batch key", &["+ABa"], 76, "[A-Za-z0-9+/]{76}\\+ABa[A-Za-z0-9+/]{6}=="),
    within("Azure Service Bus key", &["+ASb", "+AEh"], 33, "[A-Za-z0-9+/]{33}\\+A(?:Sb|Eh)[A-Za-z0-9+/]{6}="),
    within("Azure IoT key", &["AIoT"], 33, "[A-Za-z0-9+/]{33}AIoT[A-Za-z0-9+/]{6}="),
    within("Azure Redis key", &["AzCa"], 33, "[A-Za-z0-9]{33}AzCa[A-Za-z0-9]{6}="),
    within("Azure Search key", &["AzSe"], 42, "[A-Za-z0-9]{42}AzSe[A-Za-z0-9]{6}"),
    within("Azure Functions key", &["AzFu"], 44, "[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{6}=="),
    within("Azure container registry key", &["+ACR"], 42, "[A-Za-z0-9+/]{42}\\+ACR[A-Za-z0-9]{6}"),
    within("Azure AD client secret", &["7Q~", "8Q~", "9Q~"], 3, "[A-Za-z0-9_.~-]{3}[789]Q~[A-Za-z0-9_.~-]{31,34}"),
    within("Azure DevOps token", &["AZDO"], 76, "[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}"),
    token("Azure shared access key", &["SharedAccessKey="], "SharedAccessKey=([A-Za-z0-9+/]{43}=)"),
    token("Azure shared access signature", &["&sig=", "?sig="], "[&?]sig=([A-Za-z0-9%+/]{43,70}(?:%3[dD]|=))"),
    token("Azure Databricks token", &["dapi"], "dapi[0-9a-f]{32}(?:-[0-9])?"),
    assigned("Azure AD client secret", &["arm_client_secret", "azure_client_secret"], "[A-Za-z0-9_.~-]{34,44}"),
    // Other clouds.
    token("DigitalOcean token", &["dop_v1_", "doo_v1_", "dor_v1_"], "do[opr]_v1_[0-9a-f]{64}"),
    assigned("DigitalOcean Spaces secret key", &["spaces_secret", "do_spaces"], "[A-Za-z0-9/+]{43}"),
    token("Alibaba Cloud access key", &["LTAI"], "LTAI[A-Za-z0-9]{17,21}"),
    assigned("Alibaba Cloud secret key", &["aliyun", "alicloud", "alibaba"], "[A-Za-z0-9]{30}"),
    token("Tencent Cloud key", &["AKID"], "AKID[A-Za-z0-9]{32}"),
    token("Yandex Cloud key", &["AQVN"], "AQVN[A-Za-z0-9_-]{35,38}"),
    token("Yandex OAuth token", &["y0_", "y1_", "y2_", "y3_"], "y[0-3]_[A-Za-z0-9_-]{55,199}")
        .entropy(3.5)
        .check(has_mixed_case),
    token("Yandex Cloud access token", &["t1."], "t1\\.[A-Za-z0-9_-]{8,300}={0,2}\\.[A-Za-z0-9_-]{86}={0,2}"),
    token("OpenShift token", &["sha256~"], "sha256~[A-Za-z0-9_-]{43}").entropy(3.5),
    token("Docker Swarm join token", &["SWMTKN-1-"], "SWMTKN-1-[a-z0-9]{50}-[a-z0-9]{25}"),
    token("Defined Networking token", &["dnkey-"], "dnkey-[A-Za-z0-9=_-]{26}-[A-Za-z0-9=_-]{52}"),
    token("Scalingo token", &["tk-us-"], "tk-us-[A-Za-z0-9_-]{48}").entropy(3.5),
    token("Yandex Cloud secret key", &["YCA", "YCM", "YCN", "YCO", "YCP"], "YC[AMNOP][A-Za-z0-9_-]{37}").entropy(3.5),
    assigned("IBM Cloud API key", &["ibmcloud", "ibm_cloud", "ibm-cloud", "bluemix"], "[A-Za-z0-9_-]{44}"),
    assigned("Cloudant password", &["cloudant"], "[0-9a-f]{64}"),
    assigned("SoftLayer API key", &["softlayer"], "[0-9a-f]{64}"),
    assigned("Linode token", &["linode"], "[0-9a-f]{64}"),
    assigned("Hetzner token", &["hcloud", "hetzner"], "[A-Za-z0-9]{64}"),
    assigned("Vultr API key", &["vultr"], "[A-Z0-9]{36}"),
    assigned("Scaleway secret key", &["scw_secret", "scaleway"], "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    assigned("OVH application secret", &["ovh_"], "[A-Za-z0-9]{32}"),
    assigned("Exoscale secret", &["exoscale"], "[A-Za-z0-9_-]{43}"),
    token("Heroku API key", &["HRKU-AA"], "HRKU-AA[A-Za-z0-9_-]{58,60}"),
    assigned("Heroku API key", &["heroku"], "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    token("Netlify token", &["nfp_", "nfc_", "nfo_", "nfu_", "nfb_"], "nf[pcoub]_[A-Za-z0-9_]{36}"),
    token("Vercel token", &["vcp_", "vci_", "vca_", "vcr_", "vck_"], "vc[piark]_[A-Za-z0-9_]{56}"),
    token("Render API key", &["rnd_"], "rnd_[A-Za-z0-9]{28,36}").uncertain().check(has_mixed_case),
    token(
        "Fly.io token",
        &["FlyV1 fm", "fo1_"],
        "(?:FlyV1 fm[0-9][ar]?_[A-Za-z0-9+/=,_-]{100,1000}|fo1_[A-Za-z0-9_-]{43})",
    ),
    token("Cloudflare origin CA key", &["v1.0-"], "v1\\.0-[0-9a-f]{24}-[0-9a-f]{146}"),
    assigned("Cloudflare token", &["cloudflare", "cf_api"], "(?:[A-Za-z0-9_-]{40}|[0-9a-f]{37})"),
    assigned("Fastly token", &["fastly"], "[A-Za-z0-9_-]{32}").entropy(3.5),
    token("Tailscale key", &["tskey-"], "tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{9,20}-[A-Za-z0-9]{20,40}"),
    assigned("ZeroTier token", &["zerotier"], "[A-Za-z0-9]{32}"),
    assigned("ngrok token", &["ngrok"], "[A-Za-z0-9]{20,32}_[A-Za-z0-9]{20,32}"),
    // Infrastructure as code and secret stores.
    within("Terraform Cloud token", &[".atlasv1."], 14, "[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_=-]{60,70}"),
    token("Vault token", &["hvs.", "hvb.", "hvr."], "hv[sbr]\\.[A-Za-z0-9_-]{24,250}"),
    assigned("Vault token", &["vault_token", "vault-token"], "s\\.[A-Za-z0-9]{24}"),
    token("Pulumi token", &["pul-"], "pul-[0-9a-f]{40}"),
    token(
        "Doppler token",
        &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
        "dp\\.(?:pt|st|ct|sa|scim|audit)\\.(?:[a-z0-9_-]{2,35}\\.)?[A-Za-z0-9]{40,44}",
    ),
    token("1Password service account token", &["ops_eyJ"], "ops_eyJ[A-Za-z0-9+/=_-]{250,1500}"),
    token(
        "1Password secret key",
        &["A3-"],
        "A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
    ),
    assigned("Consul token", &["consul_http_token"], "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    assigned("Nomad token", &["nomad_token"], "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    // Keys that are no PEM.
    token("age secret key", &["AGE-SECRET-KEY-1"], "AGE-SECRET-KEY-1[A-Z0-9]{58}").kind(Kind::PrivateKey),
    token("WireGuard private key", &["PrivateKey"], "PrivateKey\\s{0,3}=\\s{0,3}([A-Za-z0-9+/]{43}=)")
        .kind(Kind::PrivateKey)
        .entropy(4.0),
];

/// Words joined to a long name have one case or no digit; random text of this length has all.
fn has_mixed_case(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_lowercase())
        && text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}
