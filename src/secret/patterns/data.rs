//! Databases, observability, language models and identity.

use super::{Pattern, assigned, token, within};
use crate::secret::is_distinct;

pub(in crate::secret) const PATTERNS: &[Pattern] = &[
    // Databases and data platforms.
    token("PlanetScale credential", &["pscale_"], "pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}"),
    token("Supabase token", &["sbp_"], "sbp_(?:v0_)?[0-9a-f]{40}"),
    token("Supabase secret key", &["sb_secret_"], "sb_secret_[A-Za-z0-9_-]{31,40}"),
    token("Neon API key", &["napi_"], "napi_[a-z0-9]{64}"),
    token("MongoDB Atlas service account secret", &["mdb_sa_sk_"], "mdb_sa_sk_[A-Za-z0-9_-]{40}"),
    token("Aiven password", &["AVNS_"], "AVNS_[A-Za-z0-9_-]{19}"),
    token("Databricks OAuth secret", &["dose"], "dose[0-9a-f]{32}"),
    token("ClickHouse Cloud key", &["4b1d"], "4b1d[A-Za-z0-9]{38}").entropy(4.0),
    token("Elastic Cloud API key", &["essu_"], "essu_[A-Za-z0-9+/=_-]{60,120}"),
    assigned("Confluent secret", &["confluent", "kafka_api", "kafka_sasl"], "(?:cflt)?[A-Za-z0-9/+]{60,64}"),
    assigned("Algolia admin key", &["algolia_admin", "algolia_api", "algolia_write"], "[0-9a-f]{32}"),
    assigned("Snowflake password", &["snowflake_pass", "snowsql_pwd"], "[^\\s\"'`,;<>{}$]{8,64}").check(is_distinct),
    // Observability.
    assigned("Datadog key", &["datadog", "dd_api", "dd_app", "dd-api"], "(?:[0-9a-f]{40}|[0-9a-f]{32})"),
    token("New Relic key", &["NRAK-", "NRII-", "NRAA-", "NRRA-", "NRSP-"], "NR(?:AK|II|AA|RA|SP)-[A-Za-z0-9_-]{27,42}"),
    within(
        "New Relic license key",
        &["NRAL"],
        36,
        "(?:[0-9a-f]{36}|[0-9a-f]{32}FFFF|eu01xx[0-9a-f]{26}(?:[0-9a-f]{4}|FFFF))NRAL",
    ),
    token("Grafana service account token", &["glsa_"], "glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}"),
    token("Grafana Cloud token", &["glc_eyJ"], "glc_eyJ[A-Za-z0-9+/=]{60,400}"),
    token("Grafana API key", &["eyJrIjoi"], "eyJrIjoi[A-Za-z0-9+/=]{60,400}"),
    token(
        "Dynatrace token",
        &["dt0c01.", "dt0s01.", "dt0s02.", "dt0s16."],
        "dt0[cs][0-9]{2}\\.[A-Z2-7]{8,24}\\.[A-Z2-7]{64}",
    ),
    token("Honeycomb key", &["hcaik_", "hcamk_", "hcxik_"], "hc[axb][im]k_[a-z0-9]{26,58}"),
    assigned("Honeycomb key", &["honeycomb"], "(?:[A-Za-z0-9]{22}|[0-9a-f]{32})").entropy(3.5),
    assigned("Splunk token", &["splunk"], "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    assigned("Sumo Logic key", &["sumo_access", "sumologic_access"], "[A-Za-z0-9]{64}"),
    assigned("Loggly token", &["loggly"], "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    assigned("Logz.io token", &["logzio", "logz_io"], "[A-Za-z]{32}").entropy(3.5),
    assigned("Rollbar token", &["rollbar"], "[0-9a-f]{32}"),
    assigned("Bugsnag key", &["bugsnag"], "[0-9a-f]{32}"),
    assigned("PagerDuty key", &["pagerduty"], "(?:u\\+[A-Za-z0-9_-]{18}|[A-Za-z0-9_-]{20}|[0-9a-f]{32})").entropy(3.2),
    assigned("Opsgenie key", &["opsgenie"], "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    token("Axiom token", &["xaat-", "xapt-"], "xa[ap]t-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    token("PostHog personal key", &["phx_"], "phx_[A-Za-z0-9]{40,50}"),
    // Language models.
    token(
        "OpenAI key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"],
        "sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{40,200}",
    ),
    within("OpenAI key", &["T3BlbkFJ"], 23, "sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    token("Anthropic key", &["sk-ant-"], "sk-ant-(?:api|admin|oat|ort|sid)[0-9]{2}-[A-Za-z0-9_-]{80,120}"),
    token("Hugging Face token", &["hf_", "api_org_"], "(?:hf_|api_org_)[A-Za-z0-9]{34}").check(has_both_cases),
    token("Replicate token", &["r8_"], "r8_[A-Za-z0-9]{37}"),
    token("Groq key", &["gsk_"], "gsk_[A-Za-z0-9]{52}"),
    token("xAI key", &["xai-"], "xai-[A-Za-z0-9]{80}"),
    token("Perplexity key", &["pplx-"], "pplx-[A-Za-z0-9]{48}"),
    token("OpenRouter key", &["sk-or-v1-"], "sk-or-v1-[0-9a-f]{64}"),
    assigned("Cohere key", &["cohere", "co_api_key"], "[A-Za-z0-9]{40}").entropy(3.5),
    assigned("Mistral key", &["mistral"], "[A-Za-z0-9]{32}").entropy(3.5),
    assigned("DeepSeek key", &["deepseek"], "sk-[0-9a-f]{32}"),
    assigned("Language model key", &["openai", "llm_api", "stability", "together"], "(?:sk-)?[A-Za-z0-9]{48,64}")
        .entropy(3.5),
    token("Langfuse secret key", &["sk-lf-"], "sk-lf-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    token("LangSmith key", &["lsv2_"], "lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    token("Pinecone key", &["pcsk_"], "pcsk_[A-Za-z0-9]{5,8}_[A-Za-z0-9]{50,70}"),
    token("NVIDIA API key", &["nvapi-"], "nvapi-[A-Za-z0-9_-]{60,70}"),
    token("Fireworks key", &["fw_"], "fw_[A-Za-z0-9]{24}").uncertain().check(has_both_cases),
    assigned("Weights & Biases key", &["wandb"], "(?:wandb_v1_[A-Za-z0-9_]{40,80}|[0-9a-f]{40})"),
    token("ElevenLabs key", &["sk_"], "sk_[0-9a-f]{48}"),
    token("Tavily key", &["tvly-"], "tvly-(?:dev-|prod-)?[A-Za-z0-9]{32}"),
    token("Firecrawl key", &["fc-"], "fc-[0-9a-f]{32}"),
    token("Jina key", &["jina_"], "jina_[0-9a-f]{32}[A-Za-z0-9_-]{28}"),
    assigned("Deepgram key", &["deepgram"], "[0-9a-f]{40}"),
    assigned("AssemblyAI key", &["assemblyai", "assembly_ai"], "[0-9a-f]{32}"),
    // Identity.
    assigned("Okta token", &["okta"], "00[A-Za-z0-9_-]{40}"),
    token("Okta token", &["SSWS "], "SSWS (00[A-Za-z0-9_-]{40})"),
    assigned("Auth0 client secret", &["auth0_client", "auth0-client", "auth0_management"], "[A-Za-z0-9_-]{64}"),
    assigned("Keycloak client secret", &["keycloak"], "[A-Za-z0-9]{32}").entropy(3.5),
    assigned("OneLogin secret", &["onelogin"], "[0-9a-f]{64}"),
];

fn has_both_cases(text: &str) -> bool {
    text.bytes().skip(3).any(|byte| byte.is_ascii_uppercase())
        && text.bytes().skip(3).any(|byte| byte.is_ascii_lowercase())
}
