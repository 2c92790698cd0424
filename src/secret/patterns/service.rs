//! Messages, mail, payment, shops and social networks.

use super::{Pattern, assigned, token, within};

pub(in crate::secret) const PATTERNS: &[Pattern] = &[
    // Messages.
    token(
        "Slack token",
        &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxo-", "xoxc-", "xoxd-"],
        "xox[abprsocd]-[A-Za-z0-9%/+=-]{20,250}",
    ),
    token("Slack token", &["xoxe.", "xoxe-"], "xoxe(?:\\.xox[bp])?-[0-9]-[A-Za-z0-9]{100,250}"),
    token("Slack app token", &["xapp-"], "xapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{10,14}-[0-9a-f]{64}"),
    token(
        "Slack webhook",
        &["hooks.slack.com/"],
        "hooks\\.slack\\.com/(?:services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,30}|(?:workflows|triggers)/T?[A-Z0-9]{6,14}/[A-Z0-9/]{8,40}/[A-Za-z0-9]{20,36})",
    ),
    token(
        "Discord webhook",
        &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        "discord(?:app)?\\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,72}",
    ),
    assigned("Discord bot token", &["discord"], "[A-Za-z0-9_-]{24,28}\\.[A-Za-z0-9_-]{6}\\.[A-Za-z0-9_-]{27,38}"),
    within("Telegram bot token", &[":AA"], 10, "[0-9]{10}:AA[A-Za-z0-9_-]{32,33}"),
    within("Telegram bot token", &[":AA"], 9, "[0-9]{9}:AA[A-Za-z0-9_-]{32,33}"),
    token(
        "Microsoft Teams webhook",
        &[".webhook.office.com/", "outlook.office.com/webhook/"],
        "(?:\\.webhook\\.office\\.com/webhookb2|outlook\\.office\\.com/webhook)/[0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f-]{36}(?:/V2[A-Za-z0-9_-]{30,60})?",
    ),
    token(
        "Azure Logic Apps webhook",
        &[".logic.azure.com/", ".logic.azure.com:443/"],
        "\\.logic\\.azure\\.com(?::443)?/workflows/[0-9a-f]{32}/triggers/[A-Za-z0-9/?&=%._~-]{10,300}&sig=[A-Za-z0-9_-]{43}",
    ),
    token(
        "Google Chat webhook",
        &["chat.googleapis.com/v1/spaces/"],
        "chat\\.googleapis\\.com/v1/spaces/[A-Za-z0-9_-]{8,16}/messages\\?key=[A-Za-z0-9_-]{39}&token=[A-Za-z0-9_%-]{40,60}",
    ),
    token(
        "Zapier webhook",
        &["hooks.zapier.com/hooks/catch/"],
        "hooks\\.zapier\\.com/hooks/catch/[0-9]{5,10}/[a-z0-9]{6,12}",
    )
    .entropy(2.5),
    token(
        "IFTTT webhook",
        &["maker.ifttt.com/trigger/"],
        "maker\\.ifttt\\.com/trigger/[A-Za-z0-9_-]{1,60}/(?:json/)?with/key/[A-Za-z0-9_-]{20,50}",
    ),
    token("Twilio API key", &["SK"], "SK[0-9a-f]{32}"),
    assigned("Twilio token", &["twilio"], "[0-9a-f]{32}"),
    assigned("MessageBird key", &["messagebird"], "[A-Za-z0-9]{25}"),
    assigned("Vonage secret", &["vonage", "nexmo"], "[A-Za-z0-9]{16}").entropy(3.2),
    assigned("Pushover token", &["pushover"], "[a-z0-9]{30}"),
    assigned("Zendesk token", &["zendesk"], "[A-Za-z0-9]{40}"),
    assigned("Intercom token", &["intercom"], "[A-Za-z0-9=_]{60}"),
    assigned("Freshdesk key", &["freshdesk", "freshservice"], "[A-Za-z0-9]{20}").entropy(3.2),
    // Mail.
    token("SendGrid key", &["SG."], "SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}"),
    token("Mailgun key", &["key-"], "key-[0-9a-f]{32}"),
    assigned("Mailgun key", &["mailgun"], "[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}"),
    within("Mailchimp key", &["-us"], 32, "[0-9a-f]{32}-us[0-9]{1,2}"),
    assigned("Mandrill key", &["mandrill"], "(?:md-)?[A-Za-z0-9_-]{22}").entropy(3.2),
    token("Brevo key", &["xkeysib-", "xsmtpsib-"], "x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    assigned("Postmark token", &["postmark"], "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    token("Resend key", &["re_"], "re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}"),
    assigned("SparkPost key", &["sparkpost"], "[0-9a-f]{40}"),
    token(
        "HubSpot token",
        &["pat-na1-", "pat-na2-", "pat-eu1-"],
        "pat-(?:na[12]|eu1)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
    // Payment and shops. Stripe's test keys open nothing of value and stand in its documentation.
    token("Stripe key", &["sk_live_", "rk_live_"], "[sr]k_live_[A-Za-z0-9]{20,250}"),
    token("Stripe webhook secret", &["whsec_"], "whsec_[A-Za-z0-9+/=]{32,64}"),
    token("Square token", &["EAAA"], "EAAA[A-Za-z0-9_-]{60}"),
    token("Square secret", &["sq0csp-", "sq0atp-"], "sq0(?:csp-[A-Za-z0-9_-]{43}|atp-[A-Za-z0-9_-]{22})"),
    token("Braintree token", &["access_token$production$"], "access_token\\$production\\$[0-9a-z]{16}\\$[0-9a-f]{32}"),
    token("Plaid token", &["access-production-"], "access-production-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    assigned("Plaid secret", &["plaid"], "[0-9a-f]{30}"),
    token("Flutterwave key", &["FLWSECK-"], "FLWSECK-[0-9a-f]{32}-X"),
    token("Razorpay key", &["rzp_live_"], "rzp_live_[A-Za-z0-9]{14}"),
    token("Mercado Pago token", &["APP_USR-"], "APP_USR-[0-9]{12,18}-[0-9]{6}-[0-9a-f]{32}-[0-9]{6,12}"),
    assigned("GoCardless token", &["gocardless", "gc_access"], "live_[A-Za-z0-9_-]{40}"),
    assigned("PayPal secret", &["paypal"], "E[A-Za-z0-9_-]{79}"),
    assigned("Adyen key", &["adyen"], "AQE[A-Za-z0-9+/=._-]{60,200}"),
    assigned("Coinbase secret", &["coinbase"], "[A-Za-z0-9+/]{64,86}={0,2}"),
    token(
        "Shopify token",
        &["shpat_", "shpca_", "shppa_", "shpss_", "shpua_"],
        "shp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32}",
    ),
    token("EasyPost key", &["EZAK"], "EZAK[A-Za-z0-9]{54}"),
    token("Shippo token", &["shippo_live_"], "shippo_live_[0-9a-f]{40}"),
    token("Duffel token", &["duffel_live_"], "duffel_live_[A-Za-z0-9_=-]{43}"),
    token("Adafruit IO key", &["aio_"], "aio_[A-Za-z0-9]{28}")
        .check(|text| text.bytes().any(|byte| byte.is_ascii_digit())),
    token("Mapbox secret token", &["sk.eyJ1"], "sk\\.eyJ1[A-Za-z0-9_-]{40,140}\\.[A-Za-z0-9_-]{22}"),
    // Social networks.
    token("Facebook token", &["EAA"], "EAA[A-Za-z0-9]{100,400}"),
    token("Instagram token", &["IGQ", "IGAA"], "IG(?:Q|AA)[A-Za-z0-9_-]{120,250}"),
    token(
        "Twitter bearer token",
        &["AAAAAAAAAAAAAAAAAAAAA"],
        "A{21,24}[A-Za-z0-9]{6,40}%[23][0-9A-F][A-Za-z0-9%]{30,120}",
    ),
    assigned(
        "Facebook secret",
        &["facebook_app_secret", "facebook_secret", "fb_app_secret", "facebook_client"],
        "[0-9a-f]{32}",
    ),
    assigned(
        "Twitter secret",
        &["twitter_api_secret", "twitter_consumer_secret", "twitter_access_token_secret"],
        "[A-Za-z0-9]{45,50}",
    ),
    assigned(
        "LinkedIn secret",
        &["linkedin_client_secret", "linkedin_secret"],
        "(?:WPL_AP[01]\\.[A-Za-z0-9.+/=]{20,60}|[A-Za-z0-9]{16})",
    ),
    assigned("Twitch secret", &["twitch"], "[a-z0-9]{30}"),
    assigned("Spotify secret", &["spotify"], "[0-9a-f]{32}"),
];
