"""What an outcome is called in the words that users read: short, plain, without blame."""

from domain.vocabulary import Action

CONSEQUENCES: dict[Action, str] = {
    Action.FLAG_FOR_REVIEW: "Our team looks at it.",
    Action.WARN: "This is a warning; nothing else happens this time.",
    Action.REMOVE: "We have removed it.",
    Action.WARN_AND_REMOVE: "We have removed it, and this is a warning.",
    Action.TEMP_BAN_24H: "Your account is paused for 24 hours.",
    Action.TEMP_BAN_7D: "Your account is paused for 7 days.",
    Action.REQUEST_VERIFICATION: "Please verify your account.",
    Action.REQUEST_ID_VERIFICATION: "Please verify who you are with an identity document.",
    Action.SUSPEND_UNTIL_VERIFIED: "Your account is paused until it is verified.",
    Action.PERMANENT_BAN: "Your account is closed.",
    Action.PERMANENT_BAN_AND_REPORT: "Your account is closed, and we have told the authorities.",
    Action.OFFER_SUPPORT: "Nothing happens to your account.",
    Action.BLUR: "It is blurred until somebody chooses to see it.",
    Action.SHADOW_HIDE: "Others see less of it.",
    Action.COLLAPSE_THREAD: "The conversation is folded away until somebody opens it.",
    Action.THROTTLE: "You can send fewer messages for a while.",
    Action.ALERT_CREATOR: "Who received it has been told to take care.",
    Action.CAMPAIGN_LOCK: "Your account can send nothing for a while.",
}
